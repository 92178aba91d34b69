//! In which order services start and stop, and what they need of each other.
//!
//! Names are full names. A dependency on a service that is not among those given orders nothing: it is somebody else's
//! to check that it runs.

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt;

use crate::session::service::policy::Condition;
use crate::session::service::policy::Dependency;

/// A service and what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Needs<'a> {
    /// Full name.
    pub name: &'a str,
    /// What it needs.
    pub depends_on: &'a [Dependency],
}

/// Services that wait for each other: first and last are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle(pub Vec<String>);

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" → "))
    }
}

/// Returns for each service its rank, from 0: it starts after all of a lower rank, and stops before them. Services of a
/// rank do not need each other.
pub fn ranks(services: &[Needs<'_>]) -> Result<Vec<usize>, Cycle> {
    let places: HashMap<&str, usize> = services.iter().enumerate().map(|(at, it)| (it.name, at)).collect();
    let needed =
        |at: usize| services[at].depends_on.iter().filter_map(|other| places.get(other.name.as_str()).copied());
    let mut waits: Vec<usize> = (0..services.len()).map(|at| needed(at).count()).collect();
    let mut dependants = vec![Vec::new(); services.len()];
    for at in 0..services.len() {
        needed(at).for_each(|other| dependants[other].push(at));
    }

    let mut ranks = vec![0; services.len()];
    let mut free: Vec<usize> = (0..services.len()).filter(|at| waits[*at] == 0).collect();
    while let Some(at) = free.pop() {
        for dependant in &dependants[at] {
            ranks[*dependant] = ranks[*dependant].max(ranks[at] + 1);
            waits[*dependant] -= 1;
            if waits[*dependant] == 0 {
                free.push(*dependant);
            }
        }
    }
    match waits.iter().position(|waits| *waits > 0) {
        // Whoever still waits needs somebody who still waits: following them leads into the cycle.
        Some(start) => Err(walk(services, start, |at| needed(at).find(|other| waits[*other] > 0))),
        None => Ok(ranks),
    }
}

fn walk(services: &[Needs<'_>], start: usize, next: impl Fn(usize) -> Option<usize>) -> Cycle {
    let mut path = vec![start];
    while let Some(at) = path.last().and_then(|at| next(*at)) {
        if let Some(first) = path.iter().position(|known| *known == at) {
            let names = path[first..].iter().chain([&at]).map(|at| services[*at].name.to_owned());
            return Cycle(names.collect());
        }
        path.push(at);
    }
    Cycle(Vec::new())
}

/// Returns the places of services in the order in which they start, rank by rank; within a rank as they were given.
pub fn start_order(services: &[Needs<'_>]) -> Result<Vec<Vec<usize>>, Cycle> {
    let ranks = ranks(services)?;
    let mut order = vec![Vec::new(); ranks.iter().max().map_or(0, |most| most + 1)];
    for (at, rank) in ranks.iter().enumerate() {
        order[*rank].push(at);
    }
    Ok(order)
}

/// Returns the places of services in the order in which they stop: dependants first.
pub fn stop_order(services: &[Needs<'_>]) -> Result<Vec<Vec<usize>>, Cycle> {
    let mut order = start_order(services)?;
    order.reverse();
    Ok(order)
}

/// Returns all that the named ones need, directly or not, and themselves, in the order in which they were given.
#[must_use]
pub fn with_needed<'a>(services: &[Needs<'a>], names: &[&str]) -> Vec<&'a str> {
    let by_name: HashMap<&str, &Needs<'a>> = services.iter().map(|it| (it.name, it)).collect();
    let mut wanted: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = names.to_vec();
    while let Some(name) = open.pop() {
        let Some(service) = by_name.get(name) else { continue };
        if wanted.insert(service.name) {
            open.extend(service.depends_on.iter().map(|other| other.name.as_str()));
        }
    }
    services.iter().map(|it| it.name).filter(|name| wanted.contains(name)).collect()
}

/// Returns the word of a condition.
#[must_use]
pub const fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "started",
        Condition::Ready => "ready",
        Condition::Completed => "completed",
        Condition::Healthy => "healthy",
    }
}

/// Draws who needs whom, one line each: below a service what it needs. What was drawn before is not taken apart again,
/// so that the drawing has as many lines as there are services and dependencies.
#[must_use]
pub fn graph(services: &[Needs<'_>]) -> Vec<String> {
    let by_name: HashMap<&str, &Needs<'_>> = services.iter().map(|it| (it.name, it)).collect();
    let needed: HashSet<&str> =
        services.iter().flat_map(|it| it.depends_on.iter().map(|other| other.name.as_str())).collect();
    let tops = services.iter().filter(|it| !needed.contains(it.name));

    let mut lines = Vec::new();
    let mut drawn: HashSet<&str> = HashSet::new();
    // A cycle has no top; its members are drawn from the first one, so that nobody is left out.
    for top in tops.chain(services) {
        if !drawn.insert(top.name) {
            continue;
        }
        lines.push(top.name.to_owned());
        let below = |gap: String, service: &Needs<'_>| {
            let last = service.depends_on.len().saturating_sub(1);
            let items = service.depends_on.iter().enumerate();
            items.map(|(at, it)| (gap.clone(), at == last, it.clone())).rev().collect::<Vec<_>>()
        };
        let mut open = below(String::new(), top);
        while let Some((gap, is_last, dependency)) = open.pop() {
            let branch = if is_last { "└─ " } else { "├─ " };
            let known = by_name.get(dependency.name.as_str());
            let is_new = known.is_some_and(|it| drawn.insert(it.name));
            let note = match known {
                None => ", not in this set",
                Some(it) if !is_new && !it.depends_on.is_empty() => ", see above",
                Some(_) => "",
            };
            lines.push(format!("{gap}{branch}{} ({}{note})", dependency.name, word(dependency.condition)));
            if let Some(service) = known.filter(|_| is_new) {
                open.extend(below(format!("{gap}{}", if is_last { "   " } else { "│  " }), service));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Given = Vec<(String, Vec<Dependency>)>;

    fn given(lines: &[&str]) -> Given {
        let dependency = |name: &str| Dependency { name: name.to_owned(), condition: Condition::Ready };
        let line = |line: &&str| {
            let (name, rest) = line.split_once(':').expect("a colon");
            (name.to_owned(), rest.split_whitespace().map(dependency).collect())
        };
        lines.iter().map(line).collect()
    }

    fn needs(given: &Given) -> Vec<Needs<'_>> {
        given.iter().map(|(name, depends_on)| Needs { name, depends_on }).collect()
    }

    #[test]
    fn services_start_after_what_they_need_and_stop_before() {
        let given = given(&["web: db cache", "db:", "worker: web other/queue", "cache: db", "alone:"]);
        let needs = needs(&given);
        assert_eq!(ranks(&needs), Ok(vec![2, 0, 3, 1, 0]));
        assert_eq!(start_order(&needs), Ok(vec![vec![1, 4], vec![3], vec![0], vec![2]]));
        assert_eq!(stop_order(&needs), Ok(vec![vec![2], vec![0], vec![3], vec![1, 4]]));
        assert_eq!(with_needed(&needs, &["cache", "alone", "nobody"]), ["db", "cache", "alone"]);
    }

    #[test]
    fn a_cycle_is_named_from_one_of_its_members_back_to_it() {
        for (lines, cycle) in [
            (&["a: b", "b: a"][..], "a → b → a"),
            (&["a: a"], "a → a"),
            (&["x: a", "a: b", "b: c", "c: a", "y:"], "a → b → c → a"),
        ] {
            let given = given(lines);
            assert_eq!(ranks(&needs(&given)).map_err(|cycle| cycle.to_string()), Err(cycle.to_owned()));
        }
    }

    #[test]
    fn the_graph_names_everybody_once_in_full() {
        let given = given(&["web: db cache", "db: disk", "cache: db", "disk:", "job: db far/away"]);
        let wanted = [
            "web",
            "├─ db (ready)",
            "│  └─ disk (ready)",
            "└─ cache (ready)",
            "   └─ db (ready, see above)",
            "job",
            "├─ db (ready, see above)",
            "└─ far/away (ready, not in this set)",
        ];
        assert_eq!(graph(&needs(&given)), wanted);
    }

    fn sets() -> impl Strategy<Value = Given> {
        let one = proptest::collection::vec(0..12_usize, 0..4);
        proptest::collection::vec(one, 0..12).prop_map(|services| {
            let named = |(at, needed): (usize, Vec<usize>)| {
                let other = |n: usize| Dependency { name: format!("s{n}"), condition: Condition::Started };
                (format!("s{at}"), needed.into_iter().map(other).collect())
            };
            services.into_iter().enumerate().map(named).collect()
        })
    }

    proptest! {
        #[test]
        fn every_set_has_an_order_or_a_cycle_that_is_there(given in sets()) {
            let needs = needs(&given);
            let place = |name: &str| needs.iter().position(|it| it.name == name);
            match ranks(&needs) {
                Ok(ranks) => {
                    for (at, it) in needs.iter().enumerate() {
                        let below = it.depends_on.iter().filter_map(|other| place(&other.name)).map(|other| ranks[other]);
                        prop_assert_eq!(ranks[at], below.max().map_or(0, |most| most + 1));
                    }
                }
                Err(Cycle(names)) => {
                    prop_assert!(names.len() > 1 && names.first() == names.last());
                    for pair in names.windows(2) {
                        let from = needs[place(&pair[0]).expect("one of them")];
                        prop_assert!(from.depends_on.iter().any(|other| other.name == pair[1]));
                    }
                }
            }
        }

        #[test]
        fn every_graph_has_a_line_for_each_service_and_each_dependency_drawn_once(given in sets()) {
            let needs = needs(&given);
            let lines = graph(&needs);
            let edges: usize = needs.iter().map(|it| it.depends_on.len()).sum();
            prop_assert!(lines.len() <= needs.len() + edges);
            for it in &needs {
                let is_named = |line: &String| line.trim_start_matches(['│', '├', '└', '─', ' ']).split(' ').next() == Some(it.name);
                prop_assert!(lines.iter().any(is_named));
            }
        }
    }
}
