//! The works of a draft. Of most nothing is said but an id: lists of hashes have works by the million, so that ids stand in one
//! text, and the others as they are beside it.

use rayon::prelude::*;

use super::draft::{inverse, number};
use super::places::Places;
use super::{IndexError, Work, WorkId};

/// Works, each id once.
#[derive(Debug, Default)]
pub(super) struct Works {
    ids: String,
    /// Where each work's id ends.
    ends: Vec<usize>,
    /// The place of each work in `said`, + 1; 0 of a work of which nothing is said.
    said_of: Vec<u32>,
    /// Those of which more than an id is said.
    said: Vec<Work>,
    places: Places,
}

impl Works {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn id(&self, place: u32) -> &str {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start..self.ends[place]]
    }

    /// What is said of a work beside its id, if anything is.
    pub(super) fn said(&self, place: u32) -> Option<&Work> {
        self.said_of[place as usize].checked_sub(1).map(|said| &self.said[said as usize])
    }

    pub(super) fn get(&self, place: u32) -> Work {
        self.said(place).cloned().unwrap_or_else(|| Work::new(WorkId::known(self.id(place))))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Work> {
        (0..self.len() as u32).map(|place| self.get(place))
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.places.find(self.places.hash(id.as_bytes()), |place| self.id(place) == id)
    }

    /// Puts `work` there; what was said of its id before is replaced.
    pub(super) fn put(&mut self, work: &Work) -> Result<u32, IndexError> {
        let place = match self.find(work.id.as_str()) {
            Some(place) => place,
            None => {
                let place = number(self.len(), "works")?;
                self.places.put(self.places.hash(work.id.as_str().as_bytes()), place, |_| false);
                self.ids.push_str(work.id.as_str());
                self.ends.push(self.ids.len());
                self.said_of.push(0);
                place
            }
        };
        let is_said = work.says_more_than_its_id();
        let said_of = &mut self.said_of[place as usize];
        match said_of.checked_sub(1) {
            _ if !is_said => *said_of = 0,
            Some(said) => self.said[said as usize] = work.clone(),
            None => {
                self.said.push(work.clone());
                *said_of = self.said.len() as u32;
            }
        }
        Ok(place)
    }

    /// In the order of their ids; and where each went.
    pub(super) fn sorted(mut self) -> (Works, Vec<u32>) {
        // Ids of one owner begin alike, and what comes then tells nearly all apart.
        let first = self.ids.as_bytes();
        let first = &first[..self.ends.first().copied().unwrap_or(0)];
        let alike = |id: &str| first.iter().zip(id.as_bytes()).take_while(|(a, b)| a == b).count();
        let skip = (0..self.len() as u32).into_par_iter().map(|place| alike(self.id(place))).min().unwrap_or(0);
        let key = |place: u32| {
            let mut key = [0; 8];
            key.iter_mut().zip(&self.id(place).as_bytes()[skip..]).for_each(|(to, &from)| *to = from);
            (u64::from_be_bytes(key), place)
        };
        let mut order: Vec<(u64, u32)> = (0..self.len() as u32).into_par_iter().map(key).collect();
        order.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.id(a.1).cmp(self.id(b.1))));
        let order: Vec<u32> = order.into_iter().map(|(_, place)| place).collect();

        let said = std::mem::take(&mut self.said);
        let mut sorted = Works { ids: String::with_capacity(self.ids.len()), said, ..Works::default() };
        sorted.ends.reserve_exact(order.len());
        for &place in &order {
            sorted.ids.push_str(self.id(place));
            sorted.ends.push(sorted.ids.len());
        }
        sorted.said_of = order.iter().map(|&place| self.said_of[place as usize]).collect();
        (sorted, inverse(&order))
    }

    /// So that they are found again, when they were sorted.
    pub(super) fn found_again(mut self) -> Works {
        self.places = Places::default();
        for place in 0..self.len() as u32 {
            let hash = self.places.hash(self.id(place).as_bytes());
            self.places.put(hash, place, |_| false);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a map keeps them, which is what they are.
        #[test]
        fn works_are_kept_as_they_came_last_and_in_the_order_of_their_ids(
            all in prop::collection::vec(("(one/)?(two/)?[a-cä]{1,9}|[a-b]{1,3}", prop::option::of("[x-z]")), 1..40),
        ) {
            let (mut works, mut expected) = (Works::default(), BTreeMap::new());
            let mut places = Vec::new();
            for (id, title) in all {
                let work = Work { title, ..Work::new(WorkId::new(id.clone()).unwrap()) };
                let place = works.put(&work).unwrap();
                prop_assert_eq!(works.find(&id), Some(place));
                prop_assert_eq!(&works.get(place), &work);
                places.push((place, id.clone()));
                expected.insert(id, work);
            }
            prop_assert_eq!(works.find("none"), None);
            let (sorted, went) = works.sorted();
            prop_assert!(sorted.iter().eq(expected.values().cloned()));
            for (place, id) in places {
                prop_assert_eq!(sorted.id(went[place as usize]), &id);
            }
            let sorted = sorted.found_again();
            for (place, id) in (0..).zip(expected.keys()) {
                prop_assert_eq!(sorted.find(id), Some(place));
            }
        }
    }
}
