//! A passive BGP peer that counts routes: `send-sink PORT ROUTES`. It mirrors the OPEN, reads until so many IPv4 routes
//! have come, and prints the time since 1970 at the end, the seconds from the start of the session to the last route, routes
//! and UPDATEs. (Not from the first UPDATE: where this process waits for a core, a whole table may come in one read.)

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const HEADER: usize = 19;
const UPDATE: u8 = 2;
const KEEPALIVE: [u8; HEADER] = {
    let mut message = [0xff; HEADER];
    message[16] = 0;
    message[17] = HEADER as u8;
    message[18] = 4;
    message
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, port, routes] = arguments.as_slice() else {
        return Err("usage: send-sink PORT ROUTES".into());
    };
    let wanted: usize = routes.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    println!("listening");
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;

    let mut open = message(&mut stream)?;
    open[HEADER + 8] = open[HEADER + 8].wrapping_add(1);
    stream.write_all(&open)?;
    stream.write_all(&KEEPALIVE)?;
    let established = Instant::now();

    let (mut routes, mut updates) = (0, 0);
    let mut spoke = Instant::now();
    let mut buffer = vec![0; 1 << 20];
    let (mut start, mut end) = (0, 0);
    while routes < wanted {
        if end == buffer.len() {
            buffer.copy_within(start..end, 0);
            (start, end) = (0, end - start);
        }
        let count = stream.read(&mut buffer[end..])?;
        if count == 0 {
            return Err(format!("the speaker closed after {routes} routes").into());
        }
        end += count;
        while end - start >= HEADER {
            let length = usize::from(u16::from_be_bytes([buffer[start + 16], buffer[start + 17]]));
            if end - start < length {
                break;
            }
            let body = &buffer[start + HEADER..start + length];
            if buffer[start + 18] == UPDATE {
                let here = announced(body);
                routes += here;
                updates += usize::from(here > 0);
            }
            start += length;
        }
        if spoke.elapsed().as_secs() >= 10 {
            stream.write_all(&KEEPALIVE)?;
            spoke = Instant::now();
        }
    }
    let seconds = established.elapsed().as_secs_f64();
    let done = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    println!("{done:.6} {seconds:.6} {routes} {updates}");
    Ok(())
}

fn message(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; HEADER];
    stream.read_exact(&mut message)?;
    let length = usize::from(u16::from_be_bytes([message[16], message[17]]));
    message.resize(length, 0);
    stream.read_exact(&mut message[HEADER..])?;
    Ok(message)
}

/// How many IPv4 routes the body of an UPDATE announces.
fn announced(body: &[u8]) -> usize {
    let field = |at: usize| usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    let withdrawn = field(0);
    let attributes = field(2 + withdrawn);
    let mut nlri = &body[4 + withdrawn + attributes..];
    let mut count = 0;
    while let Some(bits) = nlri.first() {
        nlri = &nlri[1 + usize::from(*bits).div_ceil(8)..];
        count += 1;
    }
    count
}
