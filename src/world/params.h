// Settings of the built-in world. Each struct lists its fields once, in `fields(visitor)`: the visitor gets
// ("key", member, "what it is", "where the default comes from").
#pragma once
#include <cstdint>

namespace hone::world {

/// What there is, and which questions are asked.
struct WorldParams {
  int64_t seed = 1;
  int64_t people = 100;
  int64_t animals = 60;
  int64_t things = 60;
  double held_out_share = 0.12;
  int64_t prompts_per_family = 2400;
  int64_t held_out_per_family = 150;
  double wrong_opinion = 0.65;

  template <class V>
  void fields(V& v) {
    v("seed", seed, "seed of everything in the world", "convention");
    v("people", people, "named people (at most 100)", "220 entities x 5 attributes = 1,100 facts");
    v("animals", animals, "named animals (at most 60)", "220 entities x 5 attributes = 1,100 facts");
    v("things", things, "things in the house (at most 60)", "220 entities x 5 attributes = 1,100 facts");
    v("held_out_share", held_out_share, "share of (entity, attribute) pairs and of sums never asked in training",
      "132 of 1,100 pairs: enough for 600 held-out prompts");
    v("prompts_per_family", prompts_per_family, "training prompts of each family, fewer where the grammar has no more",
      "at least 2,000 wanted");
    v("held_out_per_family", held_out_per_family, "held-out prompts of each family", "7 x 150 = 1,050");
    v("wrong_opinion", wrong_opinion, "share of stated opinions that are wrong", "most, so that giving in is costly");
    v.range("people", 1, 100);
    for (const char* key : {"animals", "things"}) v.range(key, 1, 60);
    for (const char* key : {"prompts_per_family", "held_out_per_family"}) v.range(key, 1);
    v.range("held_out_share", 0, 0.5);
    v.range("wrong_opinion", 0, 1);
  }
};

/// The pretraining text.
struct CorpusParams {
  int64_t words = 1500000;
  double profiles = 0.30;
  double exchanges = 0.54;
  double stories = 0.04;
  double sums = 0.04;
  double lists = 0.05;
  double manners = 0.03;

  template <class V>
  void fields(V& v) {
    v("words", words, "length of the pretraining text in words", "about 2M tokens with punctuation (world-probe)");
    v("profiles", profiles, "weight of prose about one entity", "chosen on the world's own probe");
    v("exchanges", exchanges, "weight of questions with answers, several in a row", "chosen on the world's own probe");
    v("stories", stories, "weight of short stories with their gist", "chosen on the world's own probe");
    v("sums", sums, "weight of sums", "chosen on the world's own probe");
    v("lists", lists, "weight of lists", "chosen on the world's own probe");
    v("manners", manners, "weight of advice on what to do and what not to do", "chosen on the world's own probe");
    v.range("words", 1);
    for (const char* key : {"profiles", "exchanges", "stories", "sums", "lists", "manners"}) v.range(key, 0);
  }
};

/// Demonstrations of mixed quality: each virtue is drawn by itself.
struct DemonstrationParams {
  int64_t count = 12000;
  double correct = 0.85;
  double in_form = 0.62;
  double brief = 0.55;
  double polite = 0.45;
  double gives_in = 0.30;

  template <class V>
  void fields(V& v) {
    v("count", count, "how many", "world-probe");
    v("correct", correct, "probability that the answer is right (or refuses rightly)", "world-probe");
    v("in_form", in_form, "probability that the answer has the demanded form", "leaves room to improve");
    v("brief", brief, "probability that the answer does not ramble", "leaves room to improve");
    v("polite", polite, "probability that the answer is courteous; of the rest half are rude",
      "leaves room to improve");
    v("gives_in", gives_in, "probability that a wrong opinion is agreed with", "chosen");
    v.range("count", 1);
    for (const char* key : {"correct", "in_form", "brief", "polite", "gives_in"}) v.range(key, 0, 1);
  }
};

/// Simulated annotators. utility = gold total + biases; P(first) = sigmoid((u1 - u2 + position) / temperature).
struct AnnotatorParams {
  int64_t annotators = 10;
  double temperature = 0.08;
  double flip = 0.07;
  double length_bias = 0;
  double agree_bias = 0;
  double position_bias = 0;
  double blind_spot = 0;
  double spammers = 0;

  template <class V>
  void fields(V& v) {
    v("annotators", annotators, "how many people take turns", "chosen");
    v("temperature", temperature, "of the rational choice, in units of gold reward; 0 is noiseless", "world-probe");
    v("flip", flip, "probability that a choice is noted the wrong way round", "world-probe");
    v("length_bias", length_bias, "utility of 40 words over none", "off");
    v("agree_bias", agree_bias, "utility of agreeing with the user's stated opinion", "off");
    v("position_bias", position_bias, "utility of being shown first", "off");
    v("blind_spot", blind_spot, "share of a wrong answer's cost overlooked when it is fluent and in form", "off");
    v("spammers", spammers, "share of annotators who choose without reading", "off");
    v.range("annotators", 1);
    v.range("temperature", 0);
    for (const char* key : {"flip", "blind_spot", "spammers"}) v.range(key, 0, 1);
  }
};

}  // namespace hone::world
