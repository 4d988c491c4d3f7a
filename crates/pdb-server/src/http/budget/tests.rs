use super::*;

const KIB: usize = 1024;
const NOT: Duration = Duration::ZERO;

#[tokio::test]
async fn long_bodies_cannot_use_the_reserve() {
    let budget = Budget::new(8 << 20, NOT);
    assert_eq!(budget.free(), (6144, 2048));
    let long = budget.take(5 << 20).await.unwrap();
    assert!(budget.take(2 << 20).await.is_none());
    // Others take what is left of the general lane first.
    let first = budget.take(1000 * KIB).await.unwrap();
    let second = budget.take(1000 * KIB).await.unwrap();
    assert_eq!(budget.free(), (24, 1048));
    assert!(!budget.contention().is_on());
    drop((long, first, second));
    assert_eq!(budget.free(), (6144, 2048));
    // More than there is means all there is.
    let all = budget.take(100 << 20).await.unwrap();
    assert_eq!(budget.free(), (0, 2048));
    drop(all);
    assert_eq!(budget.free(), (6144, 2048));
}

#[tokio::test]
async fn permits_grow_and_only_one_grows_beyond_the_budget() {
    let budget = Budget::new(8 << 20, NOT);
    let (mut first, mut second, mut third) =
        (BudgetPermit::default(), BudgetPermit::default(), BudgetPermit::default());
    assert!(budget.grow(&mut first, 3 << 20, 16 << 20).await);
    assert!(budget.grow(&mut second, 3 << 20, 16 << 20).await);
    // Nothing is taken twice, and nothing is given back.
    assert!(budget.grow(&mut first, 2 << 20, 16 << 20).await);
    assert_eq!(budget.free(), (0, 2048));
    // Both need more, and neither would ever get it.
    assert!(budget.grow(&mut first, 16 << 20, 16 << 20).await);
    assert!(!budget.grow(&mut second, 4 << 20, 16 << 20).await);
    assert!(budget.grow(&mut first, 17 << 20, 16 << 20).await);
    assert!(budget.grow(&mut third, 100 * KIB, 0).await);
    assert_eq!(budget.free(), (0, 1948));
    drop(first);
    assert!(budget.grow(&mut second, 4 << 20, 16 << 20).await);
    drop((second, third));
    assert_eq!(budget.free(), (6144, 2048));
}

#[tokio::test]
async fn contention_is_on_while_a_task_waits() {
    let budget = Arc::new(Budget::new(4 << 20, Duration::from_secs(60)));
    let all = budget.take(3 << 20).await.unwrap();
    let waiting = tokio::spawn({
        let budget = budget.clone();
        async move { budget.take(2 << 20).await.is_some() }
    });
    while !budget.contention().is_on() {
        tokio::task::yield_now().await;
    }
    drop(all);
    assert!(waiting.await.unwrap());
    assert!(!budget.contention().is_on());
    assert_eq!(budget.free(), (3072, 1024));
}
