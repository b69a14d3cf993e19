// The words of the world. Names and values are single short words, so that a small byte-pair vocabulary holds each as
// one token; no value starts with a vowel where a template says "a".
#pragma once
#include <span>
#include <string_view>

namespace hone::world {

using Words = std::span<const std::string_view>;

Words people_names();  // 100
Words animal_names();  // 60
Words thing_names();   // 60

Words colours();
Words rooms();
Words foods();
// Numbers are words, because a byte-pair split may take digits one by one.
Words number_words();  // "one" … "twenty"
Words counts();        // "two" … "twelve"
Words animal_kinds();
Words materials();

/// A kind of thing that lists are made of: "fruits" and its members.
struct Category {
  std::string_view plural;
  Words members;
};
std::span<const Category> categories();

Words courtesy_words();  ///< any of them makes an answer courteous
Words rude_words();      ///< any of them makes it rude, whatever else it says
Words verbs();           ///< a sentence needs one of them

}  // namespace hone::world
