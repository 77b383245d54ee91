//! Parameters may be any pattern.

use crate::support::{Failure, Flaky, block_on};
use resilience::{fail_fast, resilient};

static DEPENDENCY: Flaky = Flaky::new(1);

#[derive(Clone)]
struct Point {
    x: String,
    y: String,
    #[allow(dead_code)]
    z: u8,
}

struct Wrapper(u8);

#[resilient(retries = 1)]
async fn all(
    (a, mut b): (u32, String),
    Point {
        x, y: mut renamed, ..
    }: Point,
    [c, d]: [u8; 2],
    &(e, _): &(u8, u8),
    Wrapper(f): Wrapper,
    ref g: String,
    _: Vec<u8>,
    h @ (i, _): (u8, u8),
) -> Result<String, Failure> {
    b.push('!');
    renamed.push('?');
    DEPENDENCY.run()?;
    Ok(format!("{a}{b}{x}{renamed}{c}{d}{e}{f}{g}{}{i}", h.0))
}

#[resilient(retries = 1)]
async fn through((count, text): &mut (u32, String), (k, l): &(u8, u8)) -> Result<u8, Failure> {
    *count += 1;
    text.push('x');
    Ok(k + l)
}

#[fail_fast]
async fn once((mut a, _): (String, u8), mut b: u8) -> Result<String, Failure> {
    a.push('x');
    b += 1;
    Ok(a + &b.to_string())
}

#[test]
fn runs() {
    block_on(async {
        let point = Point {
            x: "x".into(),
            y: "y".into(),
            z: 0,
        };
        let text = all(
            (1, "b".into()),
            point,
            [2, 3],
            &(4, 0),
            Wrapper(5),
            "g".into(),
            vec![],
            (6, 0),
        );
        assert_eq!(text.await.unwrap(), "1b!xy?2345g66");
        let mut pair = (0, String::new());
        assert_eq!(through(&mut pair, &(1, 2)).await, Ok(3));
        assert_eq!(pair, (1, "x".to_owned()));
        assert_eq!(once(("a".into(), 0), 1).await.unwrap(), "ax2");
    });
    assert_eq!(DEPENDENCY.runs(), 2);
}
