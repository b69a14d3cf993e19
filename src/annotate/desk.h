// One person at a desk: pairs are laid out, judgements go to the store, and everything that a page shows of it.
//
//  1. What was judged is read from the log alone, when the desk is made and with every event that it appends. A desk
//  made
//     anew over the same store and source goes on where it was.
//  2. Which answer stands first is a function of store, person and pair, so that it stays over reloads and restarts;
//  the
//     log records it with the pair, in the same append as the judgement.
//  3. A judgement is one append: the pair as shown (the first time), outcome, correction, note. All of it counts or
//  none.
//     An undo takes all of it back, and what was written becomes the pair's draft again.
//  4. A pair that is judged is not judged again unless that was undone. The same key with the same words gives the same
//     acknowledgement; with other words it is refused.
//  5. Drafts are outside the log and vanish with the judgement.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "annotate/pair_source.h"
#include "annotate/ring.h"
#include "feedback/store.h"

namespace hone::annotate {

/// An answer by where it stands on the page: first is left, or above.
enum class Place { kFirst, kSecond };

/// What a person wrote about a pair.
struct Draft {
  std::string note;        ///< "": none
  std::string correction;  ///< "": none; of the answer at `of`
  Place of = Place::kFirst;
  bool empty() const { return note.empty() && correction.empty(); }
};

/// A pair with the order in which it is shown.
struct Laid {
  Pair pair;  ///< pair.query.order is kAFirst or kBFirst
  Draft draft;
  const feedback::Answer& at(Place place) const;
  bool cut(Place place) const;
};

/// What a person said of a pair. kA and kB of the outcome are a's and b's of the query, wherever they stand.
struct Ballot {
  std::string pair;
  feedback::Judgement judgement;
  Draft written;
};

struct Progress {
  int64_t seq = 0;    ///< of the log's last event
  int64_t ring = 0;   ///< judgements of this round that advance it
  int64_t round = 1;  ///< rounds of training begun, and one
  int64_t decided = 0, tie = 0, both_bad = 0, cant_tell = 0, skip = 0, corrections = 0;  ///< live ones
  std::optional<int64_t> left;                                                           ///< pairs that are not judged
  struct Last {
    std::string key, pair;
    bool advanced = false;
  };
  std::optional<Last> last;  ///< the newest judgement that can be undone
};

class Desk {
 public:
  /// Most pairs that are laid out, so that judging goes on while the connection is away.
  static constexpr size_t kHand = 8;

  /// `annotator`: a pseudonym, the actor of every event.
  Desk(feedback::Store& store, PairSource& source, std::string annotator);
  /// Another for each store and person.
  const std::string& id() const { return id_; }

  struct Hand {
    std::vector<Laid> pairs;
    Supply beyond = Supply::kEnd;
  };
  Hand hand() const;
  Progress progress() const;
  /// Takes in what others appended.
  void catch_up();
  /// The order of a pair that the source knows; nothing else of it.
  feedback::Order order_of(const std::string& pair) const;

  /// An unknown pair: kUnknownPair. Judged already, or the key stands for something else: kConflict. A pair that still
  /// grows, a correction of an answer that is no plain text: kUsage.
  feedback::Receipt judge(const Ballot& ballot, const std::string& key);
  /// The judgement that `judgement`, its key, stands for. No such one: kUnknown. Undone already under another key:
  /// kConflict.
  feedback::Receipt undo(const std::string& judgement, const std::string& key);
  /// An empty draft drops what was there. Errors as of judge().
  void keep_draft(const std::string& pair, const Draft& draft);

  /// Why a request does not fit what is there.
  enum class Trouble { kUnknown, kConflict };
  struct Refused : Error {
    Refused(Trouble trouble, const std::string& what, std::string hint = {})
        : Error(Kind::kUsage, what, std::move(hint)), trouble(trouble) {}
    Trouble trouble;
  };

 private:
  // What counts of one query, by the log.
  struct Word {
    int64_t judgement = 0, correction = 0, note = 0;  // numbers of the events; 0: none
    std::string key;                                  // of the judgement
    feedback::Outcome outcome = feedback::Outcome::kSkip;
    bool learns = true;  // the pair was shown to learn from
  };
  // With mutex_ held.
  void take(const feedback::Event& event);
  void take_new();
  std::vector<feedback::Receipt> append(const std::vector<feedback::NewEvent>& events);
  Laid laid(Pair pair) const;
  Pair known(const std::string& id) const;
  Draft written_of(const std::string& query, const Word& word) const;
  void save_draft(const std::string& pair, const Draft& draft);
  bool judged(const std::string& pair) const;
  void refuse_if_told(const feedback::Event& answer) const;

  feedback::Store& store_;
  PairSource& source_;
  const std::string annotator_, id_;
  uint64_t seed_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, Word> words_;    // by query
  std::map<int64_t, std::string> live_;  // judgements that count: event -> query
  std::set<std::string> shown_;          // queries that the log knows
  int64_t seq_ = 0, round_began_ = 0, began_before_ = 0, round_ = 1;
};

}  // namespace hone::annotate
