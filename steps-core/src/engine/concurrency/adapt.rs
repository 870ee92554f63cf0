//! Reads the load once a second, and sets the bound by the controller's rule.

use std::time::{Duration, Instant};

use super::{controller::Controller, limiter::Limiter, load::Load};

/// How often the load is read.
const PERIOD: Duration = Duration::from_secs(1);

impl Limiter {
    /// Adapts the bound to the load of the processor until the limiter is dropped. Ends at once if
    /// the number is fixed, or if the load is unknown on this system.
    pub(crate) fn adapt(&self) -> impl Future<Output = ()> + Send + use<> {
        let (concurrency, limiter) = (self.concurrency(), self.downgrade());
        async move {
            if concurrency.cpu().is_none() {
                return;
            }
            let mut controller = Controller::new(concurrency);
            let mut load = Load::default();
            if !load.is_known() {
                tracing::info!(
                    flows = concurrency.least(),
                    "the load of the processor is not known here: the number of flows at once \
                     stays the least"
                );
                return;
            }
            loop {
                tokio::time::sleep(PERIOD).await;
                let sampled;
                (load, sampled) = sample(load).await;
                let Some(limiter) = limiter() else {
                    return;
                };
                if let Some(sampled) = sampled {
                    let limit = controller.step(limiter.busy(), sampled, Instant::now());
                    limiter.set_limit(limit);
                }
            }
        }
    }
}

/// Reads the load on a thread for blocking work, because reading `/proc/stat` takes milliseconds on
/// a machine with very many interrupts.
async fn sample(mut load: Load) -> (Load, Option<f64>) {
    let reading = tokio::task::spawn_blocking(move || {
        let sampled = load.sample();
        (load, sampled)
    });
    reading.await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::concurrency::Concurrency;

    #[tokio::test]
    async fn a_fixed_number_is_not_adapted() {
        let limiter = Limiter::new(Concurrency::fixed(3));
        limiter.adapt().await;
        assert_eq!(limiter.limit(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_nobody_has_the_limiter() {
        let limiter = Limiter::new(Concurrency::adaptive(2..=9, 1.0));
        let adapting = tokio::spawn(limiter.adapt());
        tokio::time::sleep(PERIOD * 3).await;
        assert!((2..=9).contains(&limiter.limit()));
        drop(limiter);
        tokio::time::timeout(PERIOD * 3, adapting)
            .await
            .unwrap()
            .unwrap();
    }
}
