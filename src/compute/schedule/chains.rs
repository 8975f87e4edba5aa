//! Which tasks have to be placed together: those tied by a longest wait, and whatever lies between them.

use super::{Error, Problem};

/// The tasks that aren't pinned, in groups that are placed all or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Groups {
    /// Tasks of each group, predecessors first.
    pub(super) members: Vec<Vec<usize>>,
    /// Per group, how many links lead into it from other groups.
    pub(super) waits_for: Vec<usize>,
    /// Per group, the groups its links lead to, once per link.
    pub(super) followers: Vec<Vec<usize>>,
}

/// Finds the groups. Links from and to pinned tasks tie nothing: a pin's times are known beforehand.
///
/// `order` is [`topological`]'s.
pub(super) fn groups(problem: &Problem, order: &[usize]) -> Groups {
    let loose = |task: usize| problem.tasks[task].pin.is_none();
    let mut tied = Ties::new(problem.tasks.len());
    let mut edges = vec![];
    for (task, link) in links(problem).filter(|(task, link)| loose(*task) && loose(link.task)) {
        edges.push((link.task, task));
        if link.max_s.is_some() {
            tied.tie(task, link.task);
        }
    }
    // A task that lies between two tied ones makes a circle among the groups: it belongs to them.
    let first: Vec<usize> = (0..problem.tasks.len()).map(|task| tied.first(task)).collect();
    let group_edges: Vec<_> = edges.iter().map(|&(from, to)| (first[from], first[to])).collect();
    for (task, circle) in circles(problem.tasks.len(), &group_edges).into_iter().enumerate() {
        tied.tie(task, circle);
    }
    collect(problem, order, &mut tied, &edges)
}

/// All tasks, every predecessor before its successors, otherwise by index.
///
/// # Errors
/// [`Error::Circle`] if there is no such order.
pub(super) fn topological(problem: &Problem) -> Result<Vec<usize>, Error> {
    let successors = successors(problem);
    let mut missing: Vec<usize> = problem.tasks.iter().map(|task| task.predecessors.len()).collect();
    let mut order: Vec<usize> = (0..missing.len()).filter(|&task| missing[task] == 0).collect();
    let mut next = 0;
    while let Some(&task) = order.get(next) {
        next += 1;
        for &successor in &successors[task] {
            missing[successor] -= 1;
            if missing[successor] == 0 {
                order.push(successor);
            }
        }
    }
    if order.len() == missing.len() {
        Ok(order)
    } else {
        Err(Error::Circle { task: on_circle(problem, &missing) })
    }
}

/// Per task, the tasks that have it as predecessor, once per link.
pub(super) fn successors(problem: &Problem) -> Vec<Vec<usize>> {
    let mut successors = vec![vec![]; problem.tasks.len()];
    for (task, link) in links(problem) {
        successors[link.task].push(task);
    }
    successors
}

fn links(problem: &Problem) -> impl Iterator<Item = (usize, &super::Link)> {
    let tasks = problem.tasks.iter().enumerate();
    tasks.flat_map(|(index, task)| task.predecessors.iter().map(move |link| (index, link)))
}

/// Walking back through tasks that still wait must end up on a circle.
fn on_circle(problem: &Problem, missing: &[usize]) -> usize {
    let mut task = missing.iter().position(|&count| count > 0).unwrap_or(0);
    for _ in 0..missing.len() {
        let back = problem.tasks[task].predecessors.iter().find(|link| missing[link.task] > 0);
        task = back.map_or(task, |link| link.task);
    }
    task
}

fn collect(problem: &Problem, order: &[usize], tied: &mut Ties, edges: &[(usize, usize)]) -> Groups {
    let mut group_of = vec![usize::MAX; problem.tasks.len()];
    let mut members: Vec<Vec<usize>> = vec![];
    for &task in order.iter().filter(|&&task| problem.tasks[task].pin.is_none()) {
        let first = tied.first(task);
        if group_of[first] == usize::MAX {
            group_of[first] = members.len();
            members.push(vec![]);
        }
        group_of[task] = group_of[first];
        members[group_of[task]].push(task);
    }
    let mut waits_for = vec![0; members.len()];
    let mut followers = vec![vec![]; members.len()];
    for (from, to) in edges.iter().map(|&(from, to)| (group_of[from], group_of[to])).filter(|(a, b)| a != b) {
        waits_for[to] += 1;
        followers[from].push(to);
    }
    Groups { members, waits_for, followers }
}

/// Sets of tasks that are tied (union-find; the smallest index stands for its set).
struct Ties(Vec<usize>);

impl Ties {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn first(&mut self, mut task: usize) -> usize {
        while self.0[task] != task {
            self.0[task] = self.0[self.0[task]];
            task = self.0[task];
        }
        task
    }

    fn tie(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Per node, a node that stands for the strongly connected part it lies in (Kosaraju's two walks, without
/// recursion: hostile chains may be long).
fn circles(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let (mut ahead, mut back) = (vec![vec![]; count], vec![vec![]; count]);
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        ahead[from].push(to);
        back[to].push(from);
    }
    let mut circle_of = vec![usize::MAX; count];
    for node in finish_order(&ahead).into_iter().rev() {
        let mut stack = if circle_of[node] == usize::MAX { vec![node] } else { vec![] };
        while let Some(at) = stack.pop() {
            circle_of[at] = node;
            stack.extend(back[at].iter().filter(|&&from| circle_of[from] == usize::MAX));
        }
    }
    circle_of
}

/// Nodes in the order in which a depth-first walk leaves them.
fn finish_order(ahead: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; ahead.len()];
    let mut order = Vec::with_capacity(ahead.len());
    for root in 0..ahead.len() {
        let mut stack = vec![(root, 0)];
        while let Some((node, edge)) = stack.pop() {
            if edge == 0 && std::mem::replace(&mut seen[node], true) {
                continue;
            }
            match ahead[node].get(edge) {
                Some(&to) => {
                    stack.extend([(node, edge + 1), (to, 0)].iter().filter(|(n, e)| *e > 0 || !seen[*n]))
                }
                None => order.push(node),
            }
        }
    }
    order
}
