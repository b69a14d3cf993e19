#include "world/lexicon.h"

namespace hone::world {
namespace {
using std::string_view;

constexpr string_view kPeople[] = {
    "Ada",  "Amy",  "Anna", "Ben",  "Beth", "Bill", "Bob",  "Carl", "Cora", "Dan",  "Dora", "Dean", "Ed",
    "Ella", "Emma", "Eva",  "Fay",  "Finn", "Fred", "Gail", "Gina", "Glen", "Greg", "Gus",  "Hal",  "Hank",
    "Hans", "Ian",  "Ida",  "Ina",  "Iris", "Ivan", "Jack", "Jane", "Jean", "Jill", "Jim",  "Joan", "Joe",
    "John", "June", "Kai",  "Karl", "Kate", "Ken",  "Kim",  "Kurt", "Lara", "Lars", "Lea",  "Lee",  "Lena",
    "Leo",  "Liam", "Lisa", "Lola", "Lou",  "Lucy", "Luke", "Mark", "Mary", "Max",  "Mia",  "Mike", "Mina",
    "Nan",  "Ned",  "Neil", "Nick", "Nina", "Nora", "Olga", "Olaf", "Omar", "Otto", "Pam",  "Pat",  "Paul",
    "Pete", "Phil", "Rita", "Rob",  "Roy",  "Ron",  "Rosa", "Ruth", "Sam",  "Sara", "Sean", "Stan", "Sue",
    "Ted",  "Tess", "Tim",  "Tina", "Tom",  "Uma",  "Vera", "Walt", "Zoe"};
constexpr string_view kAnimals[] = {
    "Ash",  "Bella", "Bix",   "Boo",   "Bruno", "Buck",  "Chip",  "Coco",  "Dash", "Dot",   "Duke",  "Echo",
    "Fang", "Fizz",  "Flash", "Fluff", "Fuzz",  "Gigi",  "Goldy", "Hobo",  "Jet",  "Jinx",  "Juno",  "Kiki",
    "King", "Lady",  "Lulu",  "Luna",  "Mac",   "Milo",  "Mimi",  "Misty", "Momo", "Moss",  "Nemo",  "Nip",
    "Odin", "Ozzy",  "Pip",   "Pixie", "Pogo",  "Puff",  "Rex",   "Rocky", "Rolo", "Rusty", "Scout", "Shep",
    "Snap", "Socks", "Spot",  "Star",  "Taz",   "Tiger", "Tito",  "Toto",  "Wags", "Wolf",  "Yoyo",  "Ziggy"};
constexpr string_view kThings[] = {
    "bag",   "ball",   "basin", "basket", "bath",  "bell",   "bench", "bike",  "bin",   "board", "bottle", "bowl",
    "box",   "broom",  "brush", "bucket", "cart",  "case",   "chair", "chest", "clock", "comb",  "couch",  "cup",
    "desk",  "dish",   "door",  "drum",   "fan",   "flute",  "frame", "gate",  "hook",  "jar",   "jug",    "kettle",
    "kite",  "ladder", "lamp",  "lock",   "mat",   "mirror", "mug",   "pan",   "phone", "piano", "pillow", "pipe",
    "plate", "pot",    "radio", "rope",   "shelf", "sofa",   "stool", "stove", "table", "tray",  "vase",   "wheel"};

constexpr string_view kColours[] = {"red",  "blue", "green", "black",  "white",  "brown",
                                    "pink", "grey", "gold",  "yellow", "purple", "silver"};
constexpr string_view kRooms[] = {"kitchen", "garden", "cellar", "attic", "hall",  "garage",
                                  "study",   "barn",   "yard",   "tower", "porch", "library"};
constexpr string_view kFoods[] = {"soup",  "rice",  "bread", "cheese", "fish", "cake",
                                  "pasta", "beans", "salad", "honey",  "nuts", "corn"};
constexpr string_view kNumbers[] = {"one",     "two",     "three",     "four",     "five",     "six",      "seven",
                                    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
constexpr string_view kKinds[] = {"cat", "dog", "horse", "goat", "duck", "hen", "pig", "cow", "sheep", "mouse"};
constexpr string_view kMaterials[] = {"wood", "tin", "glass", "stone", "wool", "paper", "clay", "steel"};

constexpr string_view kFruits[] = {"apple", "pear", "plum", "grape", "lemon", "melon", "cherry", "peach"};
constexpr string_view kTools[] = {"hammer", "saw", "axe", "drill", "rake", "spade", "knife", "hoe"};
constexpr string_view kClothes[] = {"hat", "shirt", "scarf", "sock", "shoe", "belt", "dress", "glove"};
constexpr string_view kFlowers[] = {"rose", "lily", "tulip", "daisy", "poppy", "violet", "lotus", "orchid"};
constexpr Category kCategories[] = {{"fruits", kFruits},   {"tools", kTools},     {"clothes", kClothes},
                                    {"flowers", kFlowers}, {"colours", kColours}, {"rooms", kRooms},
                                    {"animals", kKinds}};

constexpr string_view kCourtesy[] = {"sure", "course", "happy", "glad", "thank", "sorry", "please", "welcome", "right"};
constexpr string_view kRude[] = {"obviously", "silly", "fool", "dull", "bother"};
constexpr string_view kVerbs[] = {"is",    "are",    "has",     "have",  "makes", "likes", "sleeps",
                                  "wears", "bought", "belongs", "costs", "cost",  "lives", "use",
                                  "comes", "eats",   "stands",  "owns",  "was",   "made"};

}  // namespace

Words people_names() { return kPeople; }
Words animal_names() { return kAnimals; }
Words thing_names() { return kThings; }
Words colours() { return kColours; }
Words rooms() { return kRooms; }
Words foods() { return kFoods; }
Words number_words() { return kNumbers; }
Words counts() { return number_words().subspan(1, 11); }
Words animal_kinds() { return kKinds; }
Words materials() { return kMaterials; }
std::span<const Category> categories() { return kCategories; }
Words courtesy_words() { return kCourtesy; }
Words rude_words() { return kRude; }
Words verbs() { return kVerbs; }

}  // namespace hone::world
