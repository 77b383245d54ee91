use resilience::resilient;

#[resilient]
async fn f() {
    g();
}

fn g() {}

fn main() {}
