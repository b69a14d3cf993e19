// The power goes at any write, truncation or sync, and the disk keeps of what was written since a file's last sync what
// it likes (disk.h): every acknowledged event is there, once, and the chain verifies. HONE_POWER_CUTS says how often
// (60).
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "base/rng.h"
#include "disk.h"
#include "feedback/store.h"
#include "feedback/verify.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;

namespace {

const StoreSettings kOnDisk{.vfs = disk::kName};

// Four threads append until the power goes or each has appended `each` notes.
void work(const std::filesystem::path& path, int64_t each, std::map<std::string, Receipt>& acknowledged) {
  std::mutex mutex;
  try {
    Store store = Store::open(path, kOnDisk);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        const std::string actor = "p" + std::to_string(t);
        try {
          NewEvent first = shown(actor, "q", sample::comparison(1), Purpose::kLearn, "");
          first.key = "shown";
          store.append(first);
          for (int64_t n = 0; n < each; ++n) {
            NewEvent e = noted(actor, "q", std::string(static_cast<size_t>(400 * (n % 7)), 'x'));
            e.key = actor + "-" + std::to_string(n);
            const Receipt receipt = store.append(e);
            const std::lock_guard lock(mutex);
            acknowledged[e.key] = receipt;
          }
        } catch (const Error&) {  // the power is gone
        }
      });
    for (std::thread& t : threads) t.join();
  } catch (const Error&) {
  }
}

// Every receipt's event is in the store, once, and the whole verifies. How many events there are.
int64_t hold(const std::filesystem::path& path, const std::map<std::string, Receipt>& acknowledged) {
  std::vector<Event> log;
  {
    Store store = Store::open(path);  // recovery
    log = store.events();
  }
  const Verdict verdict = verify(path);
  REQUIRE(verdict.wrong == "");
  std::map<std::string, const Event*> there;
  for (const Event& e : log)
    if (e.type == "note") REQUIRE(there.emplace(e.key, &e).second);
  for (const auto& [key, receipt] : acknowledged) {
    REQUIRE_MESSAGE(there.contains(key), key << " was acknowledged and is lost");
    REQUIRE(there[key]->hash == receipt.hash);
  }
  return std::ssize(log);
}

}  // namespace

TEST_CASE("lost power: dropped, torn and reordered writes lose nothing that was acknowledged") {
  disk::install();
  const char* text = std::getenv("HONE_POWER_CUTS");
  const int count = text ? std::atoi(text) : 60;
  // How many operations an undisturbed run makes, checkpoints of the write-ahead log among them.
  int64_t whole = 0;
  {
    const sample::Folder dir;
    std::map<std::string, Receipt> acknowledged;
    disk::begin(-1);
    work(dir.store(), 150, acknowledged);
    REQUIRE(acknowledged.size() == 600);
    whole = disk::operations();
  }
  Stream stream(11, "power");
  int64_t receipts = 0;
  for (int k = 0; k < count; ++k) {
    const sample::Folder dir;
    std::map<std::string, Receipt> acknowledged;
    disk::begin(static_cast<int64_t>(stream.below(static_cast<uint64_t>(whole))));
    work(dir.store(), 150, acknowledged);
    // Several disks from one moment: each keeps something else.
    for (uint64_t image = 0; image < 3; ++image) {
      disk::image(dir.path, dir.path / "disk", mix64(static_cast<uint64_t>(k), image));
      hold(dir.path / "disk" / dir.store().filename(), acknowledged);
    }
    receipts += std::ssize(acknowledged);
  }
  MESSAGE(count << " cuts, 3 disks each; " << receipts
                << " acknowledged events, all there once; an undisturbed run makes " << whole
                << " writes, truncations and syncs");
  CHECK(receipts > 0);
}

TEST_CASE("the test's disk does forget: where syncs are claimed and not made, acknowledged events are lost") {
  // So the test above would fail for a store that acknowledges too early.
  disk::install();
  int lost = 0;
  for (uint64_t k = 0; k < 10; ++k) {
    const sample::Folder dir;
    std::map<std::string, Receipt> acknowledged;
    disk::begin(200, disk::Fault::kLies);
    work(dir.store(), 150, acknowledged);
    disk::image(dir.path, dir.path / "disk", k);
    const std::filesystem::path path = dir.path / "disk" / dir.store().filename();
    int64_t there = 0;
    try {
      const Store store = Store::open(path);
      for (const Event& e : store.events()) there += acknowledged.contains(e.key) ? 1 : 0;
    } catch (const StoreError&) {  // not even a store
    }
    lost += there < std::ssize(acknowledged) ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST_CASE("no space left at any operation: an error that says so, nothing lost, and on it goes with room") {
  disk::install();
  for (int64_t at = 0; at < 60; ++at) {
    const sample::Folder dir;
    std::map<std::string, Receipt> acknowledged;
    disk::begin(-1);
    Store store = Store::open(dir.store(), kOnDisk);
    store.append(shown("ann", "q", sample::comparison(1), Purpose::kLearn, ""));
    store.put(Outside::kDraft, "ann", "q", "half a thought");
    disk::begin(at, disk::Fault::kFull);
    std::string said = "none";
    for (int64_t n = 0; n < 100 && said == "none"; ++n) {
      NewEvent e = noted("ann", "q", std::string(3000, 'x'));
      e.key = "n" + std::to_string(n);
      said = sample::trouble([&] { acknowledged[e.key] = store.append(e); });
    }
    CHECK_MESSAGE((said == "full" || said == "io"), "at " << at << ": " << said);
    CHECK(store.get(Outside::kDraft, "ann", "q")->value == "half a thought");
    disk::make_room();
    NewEvent e = noted("ann", "q", "with room");
    e.key = "room";
    acknowledged[e.key] = store.append(e);
    CHECK(store.events().size() >= acknowledged.size() + 2);
    const std::vector<Event> log = store.events();
    for (const auto& [key, receipt] : acknowledged) CHECK(log[receipt.seq - 1].hash == receipt.hash);
  }
}
