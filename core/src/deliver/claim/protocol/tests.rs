//! Every interleaving of three writers, every place at which some of them may die.

use std::collections::{BTreeMap, BTreeSet};

use super::{Board, Writer};
use crate::error::Result;

/// A registry as a model: claims and the tag, each written as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Model {
    claims: BTreeMap<u8, char>,
    tag: BTreeMap<u8, char>,
}

impl Board for Model {
    type Key = u8;
    type Value = char;

    fn claim(&mut self, key: &u8, value: &char) -> Result<()> {
        self.claims.insert(*key, *value);
        Ok(())
    }

    fn claims(&mut self) -> Result<Vec<String>> {
        Ok(self.claims.keys().map(u8::to_string).collect())
    }

    fn read_claim(&mut self, place: &str) -> Result<Option<(u8, char)>> {
        let key: u8 = place.parse().expect("a number");
        Ok(self.claims.get(&key).map(|value| (key, *value)))
    }

    fn read(&mut self) -> Result<BTreeMap<u8, char>> {
        Ok(self.tag.clone())
    }

    fn write(&mut self, all: &BTreeMap<u8, char>) -> Result<()> {
        self.tag.clone_from(all);
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Scene {
    board: Model,
    writers: Vec<Writer<u8, char>>,
    /// Who died.
    dead: Vec<bool>,
    /// How many may still die.
    deaths: usize,
}

impl Scene {
    fn new(board: Model, brings: &[&[(u8, char)]], deaths: usize) -> Self {
        Self {
            board,
            writers: brings.iter().map(|own| Writer::new(own.to_vec())).collect(),
            dead: vec![false; brings.len()],
            deaths,
        }
    }

    /// Every scene that may come next.
    fn next(&self) -> Vec<Self> {
        let mut scenes = Vec::new();
        for at in 0..self.writers.len() {
            if self.dead[at] || self.writers[at].is_done() {
                continue;
            }
            let mut stepped = self.clone();
            stepped.writers[at]
                .step(&mut stepped.board)
                .expect("a model does not fail");
            scenes.push(stepped);
            if self.deaths > 0 {
                let mut died = self.clone();
                died.dead[at] = true;
                died.deaths -= 1;
                scenes.push(died);
            }
        }
        scenes
    }
}

/// Calls `check` with every scene in which nobody is left to do anything; returns how many scenes
/// there are in all. Scenes that lead back to themselves would never end: there may be none.
fn explore(start: Scene, check: &mut dyn FnMut(&Scene)) -> usize {
    let mut seen: BTreeSet<Scene> = BTreeSet::new();
    let mut open = vec![start];
    while let Some(scene) = open.pop() {
        if !seen.insert(scene.clone()) {
            continue;
        }
        let next = scene.next();
        if next.is_empty() {
            check(&scene);
        }
        open.extend(next);
    }
    seen.len()
}

const THREE: [&[(u8, char)]; 3] = [&[(1, 'a')], &[(2, 'b')], &[(3, 'c')]];

#[test]
fn whoever_ends_loses_nothing_in_any_order() {
    for tag in [BTreeMap::new(), BTreeMap::from([(1, 'x'), (9, 'y')])] {
        let board = Model {
            tag: tag.clone(),
            ..Model::default()
        };
        let mut ends = 0;
        let scenes = explore(Scene::new(board, &THREE, 0), &mut |end| {
            ends += 1;
            let mut expected = tag.clone();
            expected.extend([(1, 'a'), (2, 'b'), (3, 'c')]);
            assert_eq!(end.board.tag, expected);
        });
        assert!(scenes > 1000 && ends > 0, "{scenes} scenes, {ends} ends");
    }
}

/// Whatever the tag says by then: whoever replaces a tag takes its claims away before.
#[test]
fn claims_that_were_there_before_win() {
    let board = Model {
        claims: BTreeMap::from([(1, 'x'), (8, 'z')]),
        tag: BTreeMap::from([(1, 'n'), (9, 'y')]),
    };
    let brings: [&[(u8, char)]; 3] = [&[(2, 'b')], &[(1, 'a')], &[(3, 'c')]];
    explore(Scene::new(board, &brings, 0), &mut |end| {
        let expected = [(1, 'a'), (2, 'b'), (3, 'c'), (8, 'z'), (9, 'y')];
        assert_eq!(end.board.tag, BTreeMap::from(expected));
    });
}

#[test]
fn deaths_among_writers_of_the_same_platforms_are_healed() {
    let brings: [&[(u8, char)]; 3] = [&[(1, 'a'), (2, 'b')], &[(2, 'B')], &[(1, 'A'), (3, 'c')]];
    explore(Scene::new(Model::default(), &brings, 1), &mut |end| {
        let mut board = end.board.clone();
        let mut healer = Writer::new(vec![(7, 'h')]);
        while !healer.is_done() {
            healer.step(&mut board).expect("a model does not fail");
        }
        for (key, value) in &end.board.claims {
            assert_eq!(board.tag.get(key), Some(value));
        }
    });
}

#[test]
fn writers_of_several_platforms_and_of_the_same_one() {
    let brings: [&[(u8, char)]; 3] = [&[(1, 'a'), (2, 'b')], &[(2, 'B')], &[(3, 'c')]];
    explore(Scene::new(Model::default(), &brings, 0), &mut |end| {
        let tag = &end.board.tag;
        assert_eq!((tag[&1], tag[&3]), ('a', 'c'));
        // Whoever claimed last has it.
        assert_eq!(tag[&2], end.board.claims[&2]);
    });
}

#[test]
fn a_death_may_undo_what_others_wrote_and_the_next_writer_heals_it() {
    let mut undone = 0;
    explore(Scene::new(Model::default(), &THREE, 2), &mut |end| {
        // Who came to the end has its claim, whatever the tag says.
        let ended: Vec<usize> = (0..3).filter(|at| end.writers[*at].is_done()).collect();
        let missing = ended.iter().any(|at| {
            let (key, value) = THREE[*at][0];
            assert_eq!(end.board.claims.get(&key), Some(&value));
            end.board.tag.get(&key) != Some(&value)
        });
        undone += usize::from(missing);
        // Any writer that comes after.
        let mut board = end.board.clone();
        let mut healer = Writer::new(vec![(7, 'h')]);
        while !healer.is_done() {
            healer.step(&mut board).expect("a model does not fail");
        }
        let mut expected = end.board.claims.clone();
        expected.insert(7, 'h');
        for (key, value) in expected {
            assert_eq!(board.tag.get(&key), Some(&value));
        }
    });
    assert!(undone > 0, "the documents say that it can happen");
}

#[test]
fn without_claims_a_writer_can_be_lost() {
    // The same writers, none of whom says what it brings: read, write, read back.
    #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct Bare {
        tag: BTreeSet<u8>,
        writers: Vec<(u8, Option<BTreeSet<u8>>, bool)>,
    }
    let start = Bare {
        tag: BTreeSet::new(),
        writers: (1..=2).map(|key| (key, None, false)).collect(),
    };
    let mut open = vec![start];
    let mut lost = 0;
    while let Some(scene) = open.pop() {
        let mut ended = true;
        for at in 0..scene.writers.len() {
            let mut next = scene.clone();
            let (key, read, done) = &mut next.writers[at];
            if *done {
                continue;
            }
            ended = false;
            match read.take() {
                None if next.tag.contains(key) => *done = true,
                None => *read = Some(next.tag.clone()),
                Some(mut all) => {
                    all.insert(*key);
                    next.tag = all;
                }
            }
            open.push(next);
        }
        lost += usize::from(ended && scene.tag.len() < 2);
    }
    assert!(lost > 0);
}
