//! A draft put into the order of the format, and back.

use rayon::prelude::*;

use super::super::bare;
use super::super::finished::Finished;
use super::super::segment::SegmentFrame;
use super::{Draft, DraftItem, Places, region_row};

impl Draft {
    /// The draft that was finished, or one of the same contents.
    pub(in crate::index) fn of(finished: Finished) -> Draft {
        let Finished { works, items, frames, regions, references, hashes, tracks, films } = finished;
        let [mut item_places, mut region_places] = std::array::from_fn(|_| Places::default());
        for (place, item) in (0..).zip(&items) {
            item_places.put(item.hash(&item_places), place, |_| false);
        }
        for (place, region) in (0..).zip(&regions) {
            region_places.put(region_places.hash(bytemuck::bytes_of(&region_row(region))), place, |_| false);
        }
        let mixed = items.iter().any(DraftItem::is_like_a_hash);
        let (hashes, as_files) = if mixed { (Vec::new(), hashes) } else { (hashes, Vec::new()) };
        let mut draft = Draft {
            works: works.found_again(),
            items,
            item_places,
            frames,
            regions,
            region_places,
            references,
            tracks,
            films,
            hashes,
            mixed,
        };
        for hash in as_files {
            // As many fitted before.
            let _ = draft.put_hash(hash);
        }
        draft
    }

    /// Puts everything into the order of the format.
    pub(in crate::index) fn finish(self) -> Finished {
        // Tens of bytes for each file that nobody asks any more.
        drop(self.item_places);
        let (works, work_places) = self.works.sorted();

        let (mut items, mut frames, mut references) = (self.items, self.frames, self.references);
        let mut hashes = self.hashes;
        if self.mixed {
            let others = self.tracks.iter().map(|track| track.item).chain(self.films.iter().map(|film| film.item));
            hashes.extend(bare::taken_from(&mut items, &frames, &references, others));
        }
        items.iter_mut().for_each(|item| item.work = work_places[item.work as usize]);
        hashes.par_iter_mut().for_each(|hash| hash.work = work_places[hash.work as usize]);
        let mut hashes = bare::sorted(&hashes);
        for hash in hashes.extract_if(.., |hash| hash.refused) {
            frames.push(bare::frame_of_bare(items.len() as u32));
            items.push(hash.item());
        }
        let key = |item: &DraftItem| (item.work, item.digest.is_none(), item.digest);
        let order: Vec<u32> = order_by(items.len(), |a, b| {
            key(&items[a]).cmp(&key(&items[b])).then_with(|| items[a].name.cmp(&items[b].name)).then(a.cmp(&b))
        });
        let order: Vec<u32> = order.into_iter().filter(|&item| !items[item as usize].dead).collect();
        let mut item_places = vec![u32::MAX; items.len()];
        for (place, &item) in order.iter().enumerate() {
            item_places[item as usize] = place as u32;
        }
        let mut slots: Vec<Option<DraftItem>> = items.into_iter().map(Some).collect();
        let items: Vec<DraftItem> = order.iter().filter_map(|&item| slots[item as usize].take()).collect();

        for frame in &mut frames {
            frame.item = item_places[frame.item as usize];
        }
        let alive = |frame: &SegmentFrame| frame.item != u32::MAX;
        let frame_key = |frame: usize| (frames[frame].item, frames[frame].number, frames[frame].time_ms, frame);
        let order = order_by(frames.len(), |a, b| frame_key(a).cmp(&frame_key(b)));
        let frame_places = inverse(&order);
        let frames: Vec<SegmentFrame> = order.iter().map(|&frame| frames[frame as usize]).take_while(alive).collect();

        let order =
            order_by(self.regions.len(), |a, b| region_row(&self.regions[a]).cmp(&region_row(&self.regions[b])));
        let mut used = vec![false; self.regions.len()];
        references.retain_mut(|reference| {
            reference.frame = frame_places[reference.frame as usize];
            let alive = (reference.frame as usize) < frames.len();
            used[reference.region as usize] |= alive;
            alive
        });
        hashes.iter().for_each(|hash| used[hash.region as usize] = true);
        let mut regions = Vec::new();
        let mut region_places = vec![0; self.regions.len()];
        for &region in order.iter().filter(|&&region| used[region as usize]) {
            region_places[region as usize] = regions.len() as u32;
            regions.push(self.regions[region as usize]);
        }
        references.par_iter_mut().for_each(|reference| reference.region = region_places[reference.region as usize]);
        hashes.par_iter_mut().for_each(|hash| hash.region = region_places[hash.region as usize]);
        references.par_sort_unstable();
        references.dedup();

        let mut tracks = self.tracks;
        tracks.iter_mut().for_each(|track| track.item = item_places[track.item as usize]);
        tracks.retain(|track| track.item != u32::MAX);
        // Stable: streams of one number stay in the order in which they came.
        tracks.sort_by_key(|track| (track.item, track.audio.stream));
        let mut films = self.films;
        films.iter_mut().for_each(|film| film.item = item_places[film.item as usize]);
        films.retain(|film| film.item != u32::MAX);
        films.sort_by_key(|film| (film.item, film.film.stream));
        Finished { works, items, frames, regions, references, hashes, tracks, films }
    }
}

/// The places 0..count in the order of `compare`.
fn order_by(count: usize, compare: impl Fn(usize, usize) -> std::cmp::Ordering + Sync) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.par_sort_unstable_by(|&a, &b| compare(a as usize, b as usize));
    order
}

/// Where each place went.
pub(in crate::index) fn inverse(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        places[old as usize] = new as u32;
    }
    places
}
