//! The free space of a plate as all maximal free rectangles.

/// A box in micrometres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) depth: i64,
}

impl Rectangle {
    fn right(&self) -> i64 {
        self.x + self.width
    }

    fn top(&self) -> i64 {
        self.y + self.depth
    }

    fn contains(&self, other: &Self) -> bool {
        self.x <= other.x && self.y <= other.y && other.right() <= self.right() && other.top() <= self.top()
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.top() && other.y < self.top()
    }
}

/// Which free place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The one that leaves the least along one side.
    ShortSide,
    /// The one that ends lowest, then leftmost.
    BottomLeft,
}

/// A place that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) is_turned: bool,
}

/// What is still free. No rectangle of the list lies in another.
#[derive(Debug)]
pub(super) struct FreeSpace {
    free: Vec<Rectangle>,
}

impl FreeSpace {
    pub(super) fn new(plate: Rectangle) -> Self {
        let free = if plate.width > 0 && plate.depth > 0 { vec![plate] } else { Vec::new() };
        Self { free }
    }

    /// Takes a box of this size, if there is room.
    pub(super) fn take(&mut self, width: i64, depth: i64, may_turn: bool, choice: Choice) -> Option<Taken> {
        let upright = self.best(width, depth, choice).map(|(key, place)| (key, false, place));
        let turned = if may_turn && width != depth { self.best(depth, width, choice) } else { None };
        let turned = turned.map(|(key, place)| (key, true, place));
        let (_, is_turned, place) =
            upright.into_iter().chain(turned).min_by_key(|(key, turned, _)| (*key, *turned))?;
        self.remove(&place);
        Some(Taken { x: place.x, y: place.y, is_turned })
    }

    fn best(&self, width: i64, depth: i64, choice: Choice) -> Option<([i64; 4], Rectangle)> {
        let key = |free: &Rectangle| {
            let (spare_x, spare_y) = (free.width - width, free.depth - depth);
            match choice {
                Choice::ShortSide => [spare_x.min(spare_y), spare_x.max(spare_y), free.y, free.x],
                Choice::BottomLeft => [free.y + depth, free.x, spare_x.min(spare_y), 0],
            }
        };
        self.free
            .iter()
            .filter(|free| width <= free.width && depth <= free.depth)
            .map(|free| (key(free), Rectangle { x: free.x, y: free.y, width, depth }))
            .min_by_key(|(key, _)| *key)
    }

    fn remove(&mut self, taken: &Rectangle) {
        let mut cut = Vec::new();
        self.free.retain(|free| {
            let is_kept = !free.overlaps(taken);
            if !is_kept {
                cut.extend(around(free, taken));
            }
            is_kept
        });
        for (at, new) in cut.iter().enumerate() {
            let is_inside_a_cut = cut.iter().enumerate().any(|(other, rectangle)| {
                other != at && rectangle.contains(new) && (rectangle != new || other < at)
            });
            if !is_inside_a_cut && !self.free.iter().any(|free| free.contains(new)) {
                self.free.push(*new);
            }
        }
    }
}

/// The up to four maximal rectangles of a free one that remain around a taken one.
fn around(free: &Rectangle, taken: &Rectangle) -> impl Iterator<Item = Rectangle> + use<> {
    let parts = [
        Rectangle { width: taken.x - free.x, ..*free },
        Rectangle { x: taken.right(), width: free.right() - taken.right(), ..*free },
        Rectangle { depth: taken.y - free.y, ..*free },
        Rectangle { y: taken.top(), depth: free.top() - taken.top(), ..*free },
    ];
    parts.into_iter().filter(|part| part.width > 0 && part.depth > 0)
}
