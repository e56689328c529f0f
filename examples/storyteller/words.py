# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The words that make_stories.py chooses from."""

GIRLS = """Lily Mia Anna Ella Rosie Daisy Molly Ruby Clara Nora Ivy Hazel Luna Stella Maya Zoe Penny Poppy Willow
Ginger Pearl Violet Sophie Emma Grace Alice Bella Lucy Tilly Millie Nina Olive June Flora Wendy Betty Dora Fern
Greta Heidi Iris Jenny Kitty Lola Mabel Nelly Opal Paula Quinn Rita Sally Tessa Una Vera Wanda Yara Zelda Amber
Cora Esme""".split()
BOYS = """Tom Max Ben Leo Sam Jack Finn Oliver Henry Oscar Toby Charlie Felix Hugo Jasper Milo Otto Rufus Theo Archie
Barney Bruno Casper Dexter Elmer Fergus George Harvey Igor Jonas Kevin Louis Marvin Ned Orson Percy Ralph Simon
Teddy Victor Walter Albert Basil Cedric Duncan Edgar Frank Gus Hector Ivan Jimmy Karl Lenny Monty Nico Paul
Robin Stanley Timmy Wilbur""".split()
ANIMALS = """rabbit fox bear mouse squirrel owl frog turtle hedgehog badger deer duck goose swan sparrow robin cat
kitten dog puppy pony horse donkey cow goat lamb sheep pig hen rooster beaver otter mole hamster raccoon wolf lion
tiger elephant giraffe zebra monkey parrot penguin seal whale dolphin crab lizard snail beetle bee butterfly ladybug
cricket spider ant bat camel koala kangaroo panda peacock pigeon crow""".split()
TRAITS = """little brave kind clever curious gentle shy cheerful lazy friendly funny proud quiet silly happy lonely
young small tiny big strong fast slow sleepy grumpy honest polite playful careful patient wise merry eager nervous
stubborn tidy messy noisy greedy lucky fluffy old handsome fearless thoughtful bold bouncy dreamy""".split()
FOODS = """apples berries cherries carrots honey cookies bread soup cheese pancakes pears plums grapes nuts acorns
corn pumpkins strawberries blueberries muffins pie peanuts porridge noodles jam peaches bananas oranges lemons
melons tomatoes potatoes beans peas mushrooms raisins waffles sandwiches pudding popcorn""".split()
TOYS = """ball kite doll drum boat train wagon puzzle book hat scarf whistle lantern bell bucket shovel balloon robot
top flute basket umbrella ring necklace ribbon blanket sled scooter marble trumpet teapot crown cape mask
yo-yo guitar violin spoon mitten boot""".split()
COLORS = """red blue green yellow purple orange pink golden silver brown white black gray shiny striped spotted
bright rainbow wooden crystal""".split()
OBJECTS = """log stone bush barrel bench rock leaf fence bridge tree stump wall gate wheel box crate chair table door
ladder sack pot cart hill cloth root branch haystack mat shed tent pile statue lamp post sign window""".split()
TOOLS = """rope stick ladder net bucket branch plank hook pole string blanket spade hammer lever broom vine basket
wheelbarrow umbrella fishing-rod""".split()
JUNK = """leaves twigs pebbles shells feathers flowers acorns buttons paper grass mud sand petals clay wool straw moss
bark seeds beads cardboard pinecones thread wax""".split()
PARTS = """handle wheel lid corner string wing button tail strap edge front back side top bottom middle""".split()
GLUE = """glue tape string nails paint thread wax wire paste screws""".split()
HOBBIES = """sing|dance|paint|read|run|swim|climb|hop|jump|sail|draw|cook|bake|fish|dig|build|explore|whistle|skate|
garden|juggle|sew|knit|hike|ride|float|splash|tumble|race|collect stamps|collect shells|collect stones|count the stars|
chase butterflies|look for treasure|play hide and seek|listen to stories|watch the clouds|pick flowers|tell jokes|
make music|fly kites|build towers|feed the birds|roll down hills|catch fireflies|blow bubbles|plant seeds|skip stones|
make new friends""".replace("\n", "").split("|")
FAMILY = """mother father grandmother grandfather sister brother aunt uncle cousin family""".split()
TIMES = """morning afternoon evening day weekend""".split()
SEASONS = """spring summer autumn winter January April May July August October December""".split()
DAYS = """Monday Tuesday Wednesday Thursday Friday Saturday Sunday""".split()
WEATHER = """sunny rainy windy cloudy cold warm snowy foggy bright hot cool gray chilly misty golden lovely frosty
breezy""".split()
UNDER = """under behind beside inside near below""".split()
SOUNDS = """Boom Crash Thump Bang Clang Rumble Growl Squeak Splash Rattle Creak Buzz Hoot Clatter Roar Knock""".split()
MONSTERS = """dragon monster ghost giant troll goblin witch pirate wizard robber""".split()
NOISY = """snoring|singing in the bath|chopping wood|playing the drums|looking for a sock|baking a cake|learning to dance|cracking nuts|fixing a clock|sneezing|washing pots|digging a hole|building a boat|moving a piano|practicing the tuba|hunting for a spoon""".replace("\n", "").split("|")
SKY = """clouds sky birds sun moon stars hills rain""".split()
CONTESTS = """race contest game match parade dance show swim quiz relay""".split()
PRIZES = """medal cup crown cake trophy ribbon star bicycle clock mirror vase bracelet coat hat telescope""".split()
STORMS = """storm blizzard shower thunderstorm gale hailstorm""".split()
SHELTERS = """cave barn hut cottage tunnel cabin tower mill den attic castle stable""".split()
GAMES = """tag catch football checkers cards marbles leapfrog tennis hopscotch chess pirates""".split()
MADE = """crown basket card necklace picture hat boat lantern wreath puppet bracelet fan mobile nest""".split()
TASTES = """sweet delicious wonderful great fresh amazing crunchy juicy creamy perfect""".split()
CHILD_HOMES = """a small house|a yellow house|a tall tower|a farm|a cottage|a cozy cabin|a big house|a little village|a stone castle|a houseboat|a busy town|a windmill|a white house|a quiet street""".replace("\n", "").split("|")
ANIMAL_HOMES = """a hollow tree|a cozy den|a burrow|a warm nest|a little hut|a red barn|a snug hole|an old shed|a small cave|a wooden box|a mossy log|a round house|a basket|a cottage|a flower pot""".replace("\n", "").split("|")
PLACES = [(name, things.split()) for name, things in (
    ("the forest", "oak pine stump log path mushroom bush"), ("the river", "bank bridge reed stone raft waterfall"),
    ("the lake", "dock boat reed shore island canoe"), ("the beach", "dune shell rock umbrella sandcastle lighthouse"),
    ("the meadow", "flower hedge gate daisy scarecrow haystack"), ("the mountain", "cliff trail rock cave peak"),
    ("the park", "bench swing slide fountain statue pond"), ("the village", "well market bakery church clock square"),
    ("the farm", "barn tractor fence stable pigsty silo"), ("the garden", "rose hedge shed sunflower pumpkin fountain"),
    ("the castle", "gate tower moat throne drawbridge wall"), ("the harbor", "ship anchor crane sail lighthouse net"),
    ("the jungle", "vine palm waterfall temple fern"), ("the desert", "cactus dune tent oasis camel"),
    ("the school", "desk blackboard playground library bell"), ("the library", "shelf stairs book lamp globe"),
    ("the market", "stall cart basket barrel tent"), ("the orchard", "ladder basket fence cider-press beehive"),
    ("the valley", "stream willow windmill bridge meadow"), ("the swamp", "log lily root alligator boardwalk"),
    ("the zoo", "cage aquarium gate fence map"), ("the circus", "tent trapeze cannon ring wagon"),
    ("the museum", "dinosaur painting statue rocket mummy"), ("the station", "train platform clock ticket signal"),
    ("the old mill", "wheel stream sack stone roof"), ("the snowy hill", "sled snowman igloo slope icicle"),
    ("the island", "palm lagoon treasure parrot hammock"), ("the cave", "crystal torch puddle tunnel stalactite"))]
