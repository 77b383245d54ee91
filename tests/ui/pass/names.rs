//! Two methods of one name, and a generic impl: each function is a site of its own.

use crate::support::{Failure, block_on};
use resilience::resilient;

struct A;
struct B<T>(T);

impl A {
    #[resilient]
    async fn run(&self) -> Result<u8, Failure> {
        #[resilient]
        async fn inner() -> Result<u8, Failure> {
            Ok(1)
        }
        inner().await
    }
}

impl<T> B<T> {
    #[resilient]
    async fn run(&self) -> Result<u8, Failure> {
        Ok(2)
    }
}

mod deep {
    pub mod down {
        #[resilience::resilient(operation = "stable")]
        pub async fn run() -> Result<u8, super::super::Failure> {
            Ok(3)
        }
    }
}

trait Run {
    fn run(&self) -> impl Future<Output = Result<u8, Failure>>;
}

impl Run for Vec<u8> {
    #[resilient]
    async fn run(&self) -> Result<u8, Failure> {
        Ok(4)
    }
}

#[test]
fn runs() {
    block_on(async {
        assert_eq!((A.run().await, B(0).run().await), (Ok(1), Ok(2)));
        assert_eq!(
            (deep::down::run().await, vec![0_u8].run().await),
            (Ok(3), Ok(4))
        );
    });
    let mut sites = resilience::sites();
    sites.retain(|site| site.place.file.ends_with("names.rs"));
    let paths: Vec<_> = sites.iter().map(|site| site.path.as_str()).collect();
    let here = module_path!();
    assert_eq!(
        paths,
        [
            &format!("{here}::A::run"),
            &format!("{here}::A::run::inner"),
            &format!("{here}::B::run"),
            &format!("{here}::deep::down::run"),
            "alloc::vec::Vec<u8>::run",
        ]
    );
    assert_eq!((sites[0].place.line, sites[0].place.column), (11, 14));
    assert_eq!(
        (sites[0].operation.as_str(), &*sites[3].operation),
        (paths[0], "stable")
    );
}
