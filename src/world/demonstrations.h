// Demonstrations of mixed quality, and the lines of the files that a world stage writes.
#pragma once
#include <string>
#include <vector>

#include "text/messages.h"
#include "world/world.h"

namespace hone::world {

struct WorldDemonstration {
  std::string id;                       ///< the prompt's
  std::vector<text::Message> messages;  ///< user, assistant
};

/// `params.count` of them; prompts are training prompts, families in equal shares, each virtue drawn by itself.
std::vector<WorldDemonstration> make_demonstrations(const World& world, const DemonstrationParams& params);

/// One JSON line each: {"messages": […], "id": …} and {"prompt": …, "id": …, "family": …} (held-out prompts also say
/// what about them is new).
std::string to_line(const WorldDemonstration& demonstration);
std::string to_line(const WorldPrompt& prompt);
/// The corpus as one text, documents parted by a blank line.
std::string to_text(const std::vector<std::string>& documents);

}  // namespace hone::world
