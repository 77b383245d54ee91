//! A TCP proxy that does to connections what networks do.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::fake::{lock, run};

/// A proxy before a server. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    _stop: oneshot::Sender<()>,
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// It is reset when half of the first part of the answer has come through.
    ResetHalfWay,
    /// It ends in good order after so many bytes of the answer.
    Truncate(usize),
    /// Every part of the answer comes so much later.
    Delay(Duration),
    /// The request is taken, and nothing ever comes back.
    Hang,
}

#[derive(Debug, Default)]
struct Plan {
    trouble: Option<Trouble>,
    connections: usize,
    seen: usize,
}

impl Proxy {
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let plan = Arc::new(Mutex::new(Plan::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let shared = Arc::clone(&plan);
        run(async move {
            listener.set_nonblocking(true).expect("set");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let accept = async {
                while let Ok((client, _)) = listener.accept().await {
                    let trouble = lock(&shared).next();
                    tokio::spawn(async move {
                        // A connection that breaks is what this is for.
                        let _ = pass(client, upstream, trouble).await;
                    });
                }
            };
            tokio::select! {
                () = accept => {}
                _ = stopped => {}
            }
        });
        Self {
            address,
            plan,
            _stop: stop,
        }
    }

    /// The next connections have this trouble; those after them have none.
    pub(crate) fn trouble(&self, trouble: Trouble, connections: usize) {
        let mut plan = lock(&self.plan);
        plan.trouble = Some(trouble);
        plan.connections = connections;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were.
    pub(crate) fn seen(&self) -> usize {
        lock(&self.plan).seen
    }
}

impl Plan {
    fn next(&mut self) -> Option<Trouble> {
        self.seen += 1;
        self.connections = self.connections.checked_sub(1)?;
        self.trouble
    }
}

async fn pass(
    mut client: TcpStream,
    upstream: SocketAddr,
    trouble: Option<Trouble>,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    let Some(trouble) = trouble else {
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    };
    let mut passed = 0;
    let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => match read? {
                0 => return Ok(()),
                read => server.write_all(&request[..read]).await?,
            },
            read = server.read(&mut answer) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                match trouble {
                    Trouble::ResetHalfWay => {
                        client.write_all(&answer[..read / 2]).await?;
                        client.set_zero_linger()?;
                        return Ok(());
                    }
                    Trouble::Truncate(bytes) if passed + read > bytes => {
                        client.write_all(&answer[..bytes - passed]).await?;
                        return Ok(());
                    }
                    Trouble::Delay(by) => {
                        tokio::time::sleep(by).await;
                        client.write_all(&answer[..read]).await?;
                    }
                    Trouble::Hang => {}
                    Trouble::Truncate(_) => client.write_all(&answer[..read]).await?,
                }
                passed += read;
            }
        }
    }
}
