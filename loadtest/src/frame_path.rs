//! `frame-path`: CPU time of one 20 ms frame on its way from the datagram to the gate.

mod local;
mod network;

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;

use crate::figure::{Aim, Figure, median};
use crate::lab::Lab;

/// Without the network, a frame should cost at most so many times bare Opus and voice detection.
const LOCAL_AIM: Aim = Aim::Ratio(1.25);
/// With it, at most so many times a bare quinn echo with both.
const NETWORK_AIM: Aim = Aim::Ratio(1.5);

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Pairs of measurements without the network: the bare parts and the engine on the same packets.
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) rounds: usize,
    /// Pairs of measurements with the network.
    #[arg(long, value_name = "COUNT", default_value_t = 6)]
    pub(crate) network_rounds: usize,
    /// Devices that talk at the same time, with the network.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) devices: usize,
    /// How long they talk in each measurement, in real time: 1 to 10. Each opens one utterance.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) seconds: u32,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(
        args.rounds > 0 && args.network_rounds > 0 && args.devices > 0,
        "nothing to measure: give at least 1 of each"
    );
    let local = local::measure(lab.seed, args.rounds)?;
    let network = network::measure(lab, args).await?;
    let figures = |name: &str, pairs: &Pairs, aim| {
        let (floor, value, ratio) = pairs.median();
        let least = pairs.least();
        [
            Figure::new(format!("{name}, median"), "ns", value).above_by(floor, ratio).aiming(aim),
            Figure::new(format!("{name}, least"), "ns", least.1).above(least.0),
        ]
    };
    Ok([figures("frame path", &local, LOCAL_AIM), figures("frame path over QUIC", &network, NETWORK_AIM)].concat())
}

/// Nanoseconds a frame, measured in pairs: the bare parts and the engine, one right after the other.
#[derive(Debug, Default)]
struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    fn push(&mut self, bare_ns: f64, engine_ns: f64) {
        self.0.push((bare_ns, engine_ns));
    }

    /// The medians of the bare parts, of the engine, and of the ratio within a pair.
    fn median(&self) -> (f64, f64, f64) {
        let of = |value: fn(&(f64, f64)) -> f64| median(self.0.iter().map(value).collect());
        (of(|pair| pair.0), of(|pair| pair.1), of(|pair| pair.1 / pair.0))
    }

    /// The least of each: what is left when nothing disturbs.
    fn least(&self) -> (f64, f64) {
        let of = |value: fn(&(f64, f64)) -> f64| self.0.iter().map(value).fold(f64::INFINITY, f64::min);
        (of(|pair| pair.0), of(|pair| pair.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_pair_does_not_move_the_ratio() {
        let mut pairs = Pairs::default();
        for (bare, engine) in [(10.0, 12.0), (20.0, 24.0), (1_000.0, 30.0)] {
            pairs.push(bare, engine);
        }
        assert_eq!(pairs.median(), (20.0, 24.0, 1.2));
        assert_eq!(pairs.least(), (10.0, 12.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
