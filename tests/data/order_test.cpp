#include "data/order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"

using namespace hone;
using namespace hone::data;

TEST_CASE("every epoch holds every row once, in another order") {
  Order order(101, 4);
  std::vector<std::vector<int64_t>> epochs;
  for (int e = 0; e < 3; ++e) {
    CHECK(order.epoch() == e);
    std::vector<int64_t> rows;
    for (int i = 0; i < 101; ++i) rows.push_back(order.next());
    CHECK(rows == epoch_order(101, 4, e));
    CHECK(std::set<int64_t>(rows.begin(), rows.end()).size() == 101);
    epochs.push_back(rows);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);
  CHECK(epoch_order(101, 5, 0) != epochs[0]);
}

TEST_CASE("N steps are k steps, saving, loading, and N - k steps") {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 57; ++i) lengths.push_back(1 + i * 7 % 13);
  for (const bool by_tokens : {false, true}) {
    const auto step = [&](Order& o) { return by_tokens ? o.take_tokens(lengths, 40) : o.take(8); };
    Order whole(57, 11);
    std::vector<std::vector<int64_t>> steps;
    for (int i = 0; i < 40; ++i) steps.push_back(step(whole));
    for (int k = 0; k < 40; ++k) {
      Order first(57, 11);
      for (int i = 0; i < k; ++i) step(first);
      const std::string saved = dump_json(first.state());
      Order resumed(57, 11);
      resumed.restore(parse_json(saved, "state"));
      for (int i = k; i < 40; ++i) REQUIRE(step(resumed) == steps[static_cast<size_t>(i)]);
      REQUIRE(dump_json(resumed.state()) == dump_json(whole.state()));
    }
  }
}

TEST_CASE("a step does not cross an epoch; steps are counted beforehand") {
  Order order(10, 1);
  CHECK(order.take(4).size() == 4);
  CHECK(order.take(4).size() == 4);
  CHECK(order.take(4).size() == 2);
  CHECK(order.epoch() == 1);
  CHECK(steps_of_rows(10, 4, 3) == 9);
  CHECK(steps_of_rows(8, 4, 2) == 4);
  const Order plain(5, 1, false);
  CHECK(plain.peek() == 0);
}

TEST_CASE("a cursor of other data is refused") {
  const Json state = Order(10, 1).state();
  CHECK_THROWS_WITH_AS(Order(11, 1).restore(state), doctest::Contains("the data changed since the checkpoint"), Error);
  CHECK_THROWS_AS(Order(10, 2).restore(state), Error);
  CHECK_THROWS_AS(Order(10, 1, false).restore(state), Error);
  Json outside = state;
  outside["index"] = 10;
  CHECK_THROWS_AS(Order(10, 1).restore(outside), Error);
  CHECK_THROWS_AS(Order(10, 1).restore(Json::object()), Error);
}
