#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the training text of the example model: short stories from a template grammar.

    make_stories.py --seed 1 --count 24000 > train.jsonl

One JSON string per line, one story per string; paragraphs inside a story are
separated by a newline. Standard library only, and the same seed gives the same
bytes everywhere. The words to choose from are in words.py.
"""
import argparse
import json
import random
import sys

import words as W


class Teller:
    """One story: its cast and setting are drawn once, then told in four paragraphs."""

    def __init__(self, rng):
        self.r = rng
        self.child = rng.random() < 0.35
        girl = rng.random() < 0.5
        self.name = rng.choice(W.GIRLS if girl else W.BOYS)
        self.he, self.him, self.his = ("she", "her", "her") if girl else ("he", "him", "his")
        self.kind = ("girl" if girl else "boy") if self.child else rng.choice(W.ANIMALS)
        self.trait = rng.choice(W.TRAITS)
        friend_girl = rng.random() < 0.5
        self.friend = rng.choice([n for n in (W.GIRLS if friend_girl else W.BOYS) if n != self.name])
        self.fhe = "she" if friend_girl else "he"
        self.fkind = rng.choice([a for a in W.ANIMALS if a != self.kind])
        self.ftrait = rng.choice([t for t in W.TRAITS if t != self.trait])
        self.place, self.things = rng.choice(W.PLACES)
        self.thing = rng.choice(self.things)
        self.food = rng.choice(W.FOODS)
        self.toy = rng.choice(W.TOYS)
        self.color = rng.choice(W.COLORS)

    def pick(self, *options):
        return self.r.choice(options)

    def opening(self):
        a = article(self.trait)
        start = self.pick(
            f"Once upon a time, there was {a} {self.kind} named {self.name}.",
            f"Once upon a time, there was {a} {self.kind} named {self.name}.",
            f"Once upon a time, {a} {self.kind} named {self.name} lived near {self.place}.",
            f"Long ago, there lived {a} {self.kind} called {self.name}.",
            f"There was once {a} {self.kind} whose name was {self.name}.",
            f"{self.name} was {a} {self.kind}.")
        home = self.r.choice(W.CHILD_HOMES if self.child else W.ANIMAL_HOMES)
        alone = (
            f"{cap(self.he)} lived in {home} near {self.place}.",
            f"{cap(self.his)} home was {home}, not far from {self.place}.",
            f"{cap(self.he)} lived with {self.his} {self.r.choice(W.FAMILY)} in {home}.")
        second = alone[2] if " near " in start else self.pick(*alone)
        hobby = self.r.choice(W.HOBBIES)
        third = self.pick(
            f"{self.name} loved to {hobby}.",
            f"Every {self.r.choice(W.TIMES)}, {self.name} liked to {hobby}.",
            f"More than anything, {self.he} loved to {hobby} and eat {self.food}.",
            f"{cap(self.he)} liked to {hobby} with {self.his} friends.")
        friend = self.pick(
            f"{cap(self.his)} best friend was {article(self.ftrait)} {self.fkind} named {self.friend}.",
            f"{cap(self.he)} had a friend, {article(self.ftrait)} {self.fkind} called {self.friend}.",
            f"{self.friend} the {self.fkind} was {self.his} best friend.")
        return " ".join([start, second, third, friend])

    def day(self):
        weather = self.r.choice(W.WEATHER)
        when = self.pick(f"One {weather} {self.r.choice(W.TIMES)},", f"One day in {self.r.choice(W.SEASONS)},",
                         f"On a {weather} {self.r.choice(W.DAYS)},")
        go = self.pick("went to", "walked to", "ran to", "set off for")
        return f"{when} {self.name} and {self.friend} {go} {self.place}."

    # Every problem returns (trouble, first try that fails, plan in words, success, lesson).
    def lost(self):
        where = f"{self.r.choice(W.UNDER)} the {self.thing}"
        return (
            f"{self.name} had {self.his} {self.color} {self.toy} with {self.him}. But when {self.he} looked again, the {self.toy} was gone! "
            f"\"Oh no, I lost my {self.toy}!\" said {self.name}. {cap(self.he)} began to {self.pick('cry', 'worry', 'shake')}.",
            f"They looked {self.r.choice(W.UNDER)} a {self.r.choice(W.OBJECTS)} and behind a {self.r.choice(W.OBJECTS)}, but they found only {self.r.choice(W.JUNK)}.",
            f"Let us look {where}",
            f"They looked {where}, and there was the {self.color} {self.toy}! {self.name} {self.pick('jumped for joy', 'laughed and clapped', 'gave a happy shout')}.",
            self.pick("it is wise to keep an eye on the things you love", "it is wrong to give up too soon", "two pairs of eyes see more than one"))

    def stuck(self):
        other = self.r.choice([a for a in W.ANIMALS if a not in (self.kind, self.fkind)])
        size = self.pick("little", "tiny", "small", "young")
        tool = self.r.choice(W.TOOLS)
        return (
            f"Soon they heard a {self.pick('sad', 'soft', 'strange', 'weak')} voice. A {size} {other} was stuck {self.r.choice(W.UNDER)} the {self.thing}. "
            f"\"Please help me!\" cried the {other}.",
            f"{self.name} {self.pick('pulled', 'pushed', 'tugged')} as hard as {self.he} could, but the {other} did not move.",
            f"We can use this {tool}",
            f"They took the {tool} and worked together. {self.pick('Pop', 'Snap', 'Whoosh')}! The {other} was free. \"Thank you, {self.name} and {self.friend}!\" said the {other}.",
            self.pick("a small help can be a big gift", "it is good to help those in need", "kind hearts make strong hands"))

    def broken(self):
        part = self.r.choice(W.PARTS)
        return (
            f"They wanted to play with the {self.color} {self.toy}. Then {self.name} {self.pick('tripped on', 'bumped into')} a {self.r.choice(W.OBJECTS)}, and the {part} of the {self.toy} broke. "
            f"\"It was my fault,\" said {self.name} in a {self.pick('sad', 'small', 'quiet')} voice.",
            f"{cap(self.he)} tried to mend the {part} with {self.r.choice(W.JUNK)}, but it fell off again.",
            f"My {self.r.choice(W.FAMILY)} has some {self.r.choice(W.GLUE)} at home",
            f"They {self.pick('mended', 'fixed', 'repaired')} the {part} with great care. Soon the {self.toy} looked as good as new, and they played until {self.pick('dinner', 'sunset', 'dark', 'bedtime')}.",
            self.pick("it is best to tell the truth", "what is broken can often be mended", "careful hands can fix almost anything"))

    def hungry(self):
        height = self.pick("high up in a tree", "on top of a tall rock", "on the other side of the water", "behind a high fence")
        tool = self.r.choice(W.TOOLS)
        return (
            f"After a while they were very hungry. {self.name} saw some {self.food} {height}. \"I wish we could reach the {self.food},\" said {self.name}.",
            f"{cap(self.he)} {self.pick('jumped', 'stretched', 'climbed')} again and again, but it was too {self.pick('far', 'high', 'hard')}.",
            f"If we use the {tool}, we can reach it",
            f"They used the {tool}, and down came the {self.food}. They shared the {self.food} with {self.pick('everyone', 'all their friends', 'a hungry ' + self.r.choice(W.ANIMALS))}, and it tasted {self.r.choice(W.TASTES)}.",
            self.pick("food tastes best when it is shared", "a good idea is better than a long jump", "friends who share are never hungry"))

    def noise(self):
        sound = self.r.choice(W.SOUNDS)
        other = self.r.choice([a for a in W.ANIMALS if a not in (self.kind, self.fkind)])
        doing = self.r.choice(W.NOISY)
        return (
            f"Suddenly they heard a loud noise near the {self.thing}. {sound}! {self.name} was afraid. \"What if it is a {self.r.choice(W.MONSTERS)}?\" {self.he} whispered.",
            f"They hid {self.r.choice(W.UNDER)} a {self.r.choice(W.OBJECTS)}, but the noise only grew louder. {sound}! {sound}!",
            "Let us be brave and take a look",
            f"Step by step they came closer. It was only {article(self.r.choice(W.TRAITS))} {other} who was {doing}! They all began to laugh.",
            self.pick("things are often less scary than they seem", "being brave means going on when you are afraid", "it is wise to look before you run"))

    def quarrel(self):
        return (
            f"They found {article(self.color)} {self.toy} beside the {self.thing}. \"I saw it first!\" said {self.name}. \"No, it is mine!\" said {self.friend}. They pulled and shouted, and soon both of them were {self.pick('angry', 'cross', 'upset')}.",
            f"{self.name} sat down alone and looked at the {self.r.choice(W.SKY)}. Playing alone was no fun at all.",
            "I am sorry. We can take turns",
            f"So they took turns with the {self.toy}. First {self.friend} played with it, then {self.name}. They {self.pick('laughed', 'smiled', 'giggled')} all {self.r.choice(W.TIMES)} long.",
            self.pick("sharing makes every game better", "a friend is worth more than any toy", "saying sorry is a brave thing to do"))

    def contest(self):
        rival = self.r.choice([a for a in W.ANIMALS if a not in (self.kind, self.fkind)])
        event = self.r.choice(W.CONTESTS)
        prize = f"{self.r.choice(W.COLORS)} {self.r.choice(W.PRIZES)}"
        return (
            f"There was a big {event} that day, and the prize was {article(prize)}. \"I will win!\" said a proud {rival}. {self.name} felt {self.pick('nervous', 'shy', 'unsure', 'worried')}.",
            f"When the {event} began, the {rival} was far ahead. {self.name} {self.pick('stumbled', 'slipped', 'fell down')}, and everybody gasped.",
            f"Do not give up, {self.name}. Just do your best",
            f"{self.name} took a deep breath and tried again. The {rival} stopped to {self.pick('boast', 'rest', 'nap', 'eat ' + self.food)}, and {self.name} won the {event}! {cap(self.he)} let everyone hold the {prize}.",
            self.pick("slow and steady is a fine way to go", "doing your best is what matters", "proud words do not win a prize"))

    def storm(self):
        storm = self.r.choice(W.STORMS)
        shelter = self.r.choice(W.SHELTERS)
        return (
            f"Then dark clouds covered the sky, and a {storm} came. {self.pick('Thunder rolled', 'The wind howled', 'Rain poured down', 'Cold drops fell')}. \"We are far from home!\" said {self.name}.",
            f"They tried to run, but the path was {self.pick('wet', 'muddy', 'slippery', 'gone')} and they could not see the way.",
            f"I know {article(shelter)} where we will be safe",
            f"Inside the {shelter} it was {self.pick('warm', 'dry', 'cozy', 'quiet')}. They told each other stories about {plural(self.r.choice(W.MONSTERS))} and ate some {self.food} until the {storm} was over. Then a {self.pick('bright', 'wide', 'beautiful')} rainbow {self.pick('filled', 'crossed', 'lit')} the sky.",
            self.pick("after every storm the sun comes back", "a good friend is like a safe roof", "it helps to stay calm when the wind blows"))

    def newcomer(self):
        other = self.r.choice([a for a in W.ANIMALS if a not in (self.kind, self.fkind)])
        name = self.r.choice([n for n in W.GIRLS + W.BOYS if n not in (self.name, self.friend)])
        game = self.r.choice(W.GAMES)
        return (
            f"Beside the {self.thing} sat a lonely {other}. \"My name is {name},\" said the {other}. \"I am new here, and I have no friends.\" {self.name} felt sorry for {name}.",
            f"\"Do you want to play {self.r.choice(W.GAMES)}?\" asked {self.name}. But {name} was too {self.pick('shy', 'scared', 'sad')} and only shook {self.pick('his', 'her')} head.",
            f"We can teach {name} how to play {game}",
            f"Slowly, {name} came closer and began to play {game} too. Soon all three of them were laughing. \"Now I have two friends,\" said {name} with a {self.pick('big', 'wide', 'happy', 'warm')} smile.",
            self.pick("there is always room for one more friend", "a kind word opens every door", "everyone was new once"))

    def gift(self):
        who = self.r.choice(W.FAMILY)
        made = self.r.choice(W.MADE)
        stuff = self.r.choice(W.JUNK)
        return (
            f"It was nearly the birthday of {self.name}'s {who}, and {self.he} had no present. \"I have no {self.pick('money', 'coins')}, so what can I give?\" asked {self.name}.",
            f"{cap(self.he)} thought about buying {article(self.r.choice(W.PRIZES))}, but it cost too much.",
            f"We could make {article(made)} from {stuff}",
            f"They gathered {stuff} near the {self.thing} and made {article(self.color)} {made}. When the {who} saw the {made}, {self.pick('there were happy tears', 'there was a long hug', 'there was a loud cheer')}. \"This is the best present of all!\"",
            self.pick("a gift from the heart is the best gift", "you do not need coins to make someone happy", "love is in the things we make"))

    def ending(self, lesson):
        last = self.pick(
            f"From that day on, {self.name} knew that {lesson}.",
            f"{self.name} smiled, because now {self.he} knew that {lesson}.",
            f"And {self.name} never forgot that {lesson}.",
            f"\"Today I learned that {lesson},\" said {self.name}.")
        home = self.pick(
            f"When the {self.pick('sun went down', 'moon came up', 'stars came out', 'day was over')}, they {self.pick('walked', 'went', 'ran', 'skipped')} home {self.pick('together', 'hand in hand', 'for supper', 'with a song')}.",
            f"That night, {self.name} slept {self.pick('very well', 'like a stone', 'with a smile', 'deep and long')}.",
            f"At home, {self.his} {self.r.choice(W.FAMILY)} had made {self.r.choice(W.FOODS)} for {self.pick('supper', 'dinner', 'both of them')}.")
        end = self.pick("The end.", "And they lived happily ever after.", f"{self.name} and {self.friend} stayed friends forever.")
        return " ".join(([home, last] if self.r.random() < 0.5 else [last, home]) + [end])

    def story(self):
        problem = self.r.choice((self.lost, self.stuck, self.broken, self.hungry, self.noise, self.quarrel,
                                 self.contest, self.storm, self.newcomer, self.gift))
        trouble, fails, plan, success, lesson = problem()
        says = self.pick(
            f"\"{plan},\" said {self.friend}.",
            f"{self.friend} thought for a moment. \"{plan}!\" {self.fhe} said.",
            f"\"Do not worry,\" said {self.friend}. \"{plan}.\"",
            f"Then {self.friend} had an idea. \"{plan},\" {self.fhe} said.")
        return "\n".join([self.opening(), f"{self.day()} {trouble}", f"{fails} {says} {success}", self.ending(lesson)])


def cap(text):
    return text[0].upper() + text[1:]


def plural(word):
    return word + ("es" if word.endswith("ch") else "s")


def article(word):
    return ("an " if word[0] in "aeiou" else "a ") + word


def stories(seed, count):
    rng = random.Random(seed)
    return [Teller(rng).story() for _ in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=24000)
    args = parser.parse_args()
    for story in stories(args.seed, args.count):
        sys.stdout.write(json.dumps(story) + "\n")


if __name__ == "__main__":
    main()
