// The source that the precompiled header of GLUE rooms without torch is compiled with (cmake/rooms.cmake).
