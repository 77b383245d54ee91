use resilience::resilient;

#[resilient]
async fn f() -> Result<u32, resilience::Error> {
    let local = std::rc::Rc::new(1);
    std::future::ready(()).await;
    Ok(*local)
}

fn main() {
    send(f());
}

fn send(_: impl Send) {}
