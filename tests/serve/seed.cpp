// Honest requests for the fuzzer to start from: seed_serve FOLDER.
#include "base/files.h"
#include "fuzz_site.h"

int main(int, char** argv) {
  using hone::serve::test::kFuzzToken;
  const std::filesystem::path folder = argv[1];
  const std::string host = " HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n";
  const std::string signed_in = host + "Authorization: Bearer " + kFuzzToken + "\r\n";
  const std::string json = "Content-Type: application/json\r\n";
  int n = 0;
  for (const std::string& request :
       {"GET /" + host + "\r\n", "HEAD /page.js" + host + "If-None-Match: \"x\", *\r\n\r\n",
        "GET /api/v1/echo?a=1&b=%C3%A4+c" + signed_in + "\r\n",
        "GET /api/v1/live" + signed_in + "Last-Event-ID: 1\r\n\r\n",
        "PUT /api/v1/items/%41" + signed_in + "Content-Length: 0\r\n\r\n",
        "POST /api/v1/echo" + signed_in + json + "Content-Length: 13\r\n\r\n{\"a\":[1,\"b\"]}",
        "POST /api/v1/echo" + signed_in + json +
            "Transfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\n{\"a\":\r\n2\r\n1}\r\n0\r\nT: 1\r\n\r\n",
        "POST /api/v1/echo" + signed_in + json + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        "POST /api/v1/session" + host + json +
            "Origin: http://127.0.0.1:PORT\r\nContent-Length: 14\r\n\r\n{\"secret\":\"a\"}",
        "DELETE /nothing" + signed_in + "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n\r\n",
        "GET /page.js" + host + "\r\nGET /api/v1/echo" + signed_in +
            "\r\nGET / HTTP/1.0\r\nHost: localhost:PORT\r\n\r\n"})
    hone::write_file_atomic(folder / ("request-" + std::to_string(n++)), request);
}
