//! Unique references are lent to one attempt after the other.

use std::fmt::Write;

use crate::support::{Failure, Flaky, block_on};
use resilience::resilient;

static DEPENDENCY: Flaky = Flaky::new(1);

#[resilient(retries = 1)]
async fn write(
    out: &mut String,
    dynamic: &mut (dyn Write + Send),
    generic: &mut impl Write,
    slice: &mut [u8],
) -> Result<u32, Failure> {
    out.push('a');
    dynamic.write_char('b').unwrap();
    generic.write_char('c').unwrap();
    slice[0] += 1;
    tokio::task::yield_now().await;
    out.push('d');
    DEPENDENCY.run()
}

#[test]
fn runs() {
    let (mut a, mut b, mut c, mut d) = (String::new(), String::new(), String::new(), [0]);
    let run = async { write(&mut a, &mut b, &mut c, &mut d).await };
    assert_eq!(block_on(run), Ok(2));
    assert_eq!(
        (a.as_str(), b.as_str(), c.as_str(), d),
        ("adad", "bb", "cc", [2])
    );
}
