//! `?`, `return`, labels and endless loops keep their meaning, and all fail alike.

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static QUESTION: Flaky = Flaky::new(9);
static RETURN: Flaky = Flaky::new(9);
static TAIL: Flaky = Flaky::new(9);

#[resilient(retries = 2)]
async fn by_question_mark() -> Result<(), Failure> {
    QUESTION.run()?;
    Ok(())
}

#[resilient(retries = 2)]
async fn by_return() -> Result<u32, Failure> {
    if let Err(error) = RETURN.run() {
        return Err(error);
    }
    Ok(1)
}

#[resilient(retries = 2)]
async fn by_tail() -> Result<u32, Failure> {
    TAIL.run()
}

#[resilient]
async fn nested() -> Result<u32, Failure> {
    let closure = || -> Result<u32, Failure> {
        Flaky::new(1).run()?;
        Ok(1)
    };
    let block = async {
        Flaky::new(0).run()?;
        return Ok::<u32, Failure>(2);
    };
    if closure().is_err() {
        return block.await;
    }
    Ok(3)
}

#[resilient]
async fn labels() -> Result<u32, Failure> {
    let found = 'outer: loop {
        for n in 0.. {
            if n == 4 {
                break 'outer n;
            }
        }
    };
    Ok('block: {
        if found == 4 {
            break 'block 5;
        }
        6
    })
}

#[resilient]
#[allow(unreachable_code)]
async fn endless(n: u32) -> Result<u32, Failure> {
    loop {
        if n > 0 {
            return Ok(n);
        }
        return Err(Failure::Planned);
    }
}

#[resilient]
async fn never() -> Result<u32, Failure> {
    panic!("not polled")
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!(by_question_mark().await, Err(Failure::Planned));
        assert_eq!(by_return().await, Err(Failure::Planned));
        assert_eq!(by_tail().await, Err(Failure::Planned));
        assert_eq!(
            (nested().await, labels().await, endless(7).await),
            (Ok(2), Ok(5), Ok(7))
        );
        drop(never());
    });
    assert_eq!([QUESTION.runs(), RETURN.runs(), TAIL.runs()], [3, 3, 3]);
}
