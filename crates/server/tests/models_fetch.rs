//! Fetching models from an index that misbehaves in every way that networks do.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use radline_server::models::{Cache, FileState, Manifest, Profile, fetch};
use sha2::{Digest, Sha256};
use url::Url;

const ARCHIVE: &str = "weights-1.0-py3-none-any.whl";

/// A package index on loopback.
#[derive(Clone, Default)]
struct Index {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    archive: Vec<u8>,
    /// Downloads break off after this many bytes, each.
    breaks_after: Option<usize>,
    /// The first byte of each download that was asked for.
    asked_from: Vec<usize>,
}

impl Index {
    fn serve(archive: &[u8]) -> (Self, Url) {
        let index = Self::default();
        index.state.lock().expect("alive").archive = archive.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/simple/", listener.local_addr().expect("bound"));
        let served = index.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                served.answer(stream);
            }
        });
        (index, Url::parse(&url).expect("an address"))
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
        let (mut request, mut headers) = (String::new(), BTreeMap::new());
        reader.read_line(&mut request).expect("a request");
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let answer = if request.contains(ARCHIVE) {
            self.download(headers.get("range"))
        } else {
            let page = format!("<a href=\"/files/{ARCHIVE}#sha256=0\">weights</a>");
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}", page.len()).into_bytes()
        };
        // The client may have had enough.
        drop(stream.write_all(&answer));
    }

    fn download(&self, range: Option<&String>) -> Vec<u8> {
        let mut state = self.state.lock().expect("alive");
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from: usize = from.map_or(0, |from| from.parse().expect("a number"));
        state.asked_from.push(from);
        let rest = &state.archive[from.min(state.archive.len())..];
        let length = rest.len();
        let sent = &rest[..state.breaks_after.unwrap_or(length).min(length)];
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        [head.as_bytes(), sent].concat()
    }

    fn asked_from(&self) -> Vec<usize> {
        self.state.lock().expect("alive").asked_from.clone()
    }
}

fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Something that does not compress away.
fn weights() -> Vec<u8> {
    (0..100_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn archive() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("weights/model.bin", options).expect("begins");
    zip.write_all(&weights()).expect("writes");
    zip.finish().expect("ends").into_inner()
}

fn manifest(archive: &[u8]) -> Manifest {
    let (weights, size) = (weights(), archive.len());
    let text = format!(
        "[[model]]\nid = \"m\"\nfile = \"model.bin\"\npurpose = \"test\"\nprofile = \"cpu\"\n\
         licence = \"MIT\"\nsize = {}\nsha256 = \"{}\"\n[[model.part]]\npackage = \"weights\"\n\
         archive = \"{ARCHIVE}\"\nsize = {size}\nsha256 = \"{}\"\nmember = \"weights/model.bin\"\n",
        weights.len(),
        hash(&weights),
        hash(archive)
    );
    toml::from_str(&text).expect("a manifest")
}

struct World {
    cache: Cache,
    manifest: Manifest,
    index: Index,
    url: Url,
    folder: tempfile::TempDir,
}

impl World {
    /// An index that serves `served` where the manifest names the right archive.
    fn new(served: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(Some(folder.path().to_owned())).expect("given");
        let (index, url) = Index::serve(served);
        Self { cache, manifest: manifest(&archive()), index, url, folder }
    }

    fn fetch(&self) -> Result<(), String> {
        fetch(&self.cache, &self.manifest, self.url.clone(), Profile::Cpu, None)
            .map_err(|error| format!("{error:#}"))
    }

    fn state(&self) -> FileState {
        self.cache.verify(&self.manifest.models[0], |_| {}).expect("readable")
    }

    fn partial(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.folder.path().join("partial")).expect("a folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let names = folder.map(|entry| name(entry).to_string_lossy().into_owned());
        names.filter(|name| name != "lock").collect()
    }
}

#[test]
fn a_model_is_fetched_once_and_found_the_next_time() {
    let world = World::new(&archive());
    world.fetch().expect("fetches");
    assert_eq!(world.state(), FileState::Good);
    assert!(world.partial().is_empty(), "{:?}", world.partial());
    world.fetch().expect("is there");
    assert_eq!(world.index.asked_from(), [0], "nothing is downloaded twice");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_stopped() {
    let world = World::new(&archive());
    let most = archive().len() / 6;
    world.index.state.lock().expect("alive").breaks_after = Some(most);
    let error = world.fetch().expect_err("it breaks off");
    assert!(error.contains("model.bin was not fetched"), "{error}");
    assert!(error.contains("the next run goes on from it"), "{error}");
    assert_eq!(world.state(), FileState::Missing);
    world.index.state.lock().expect("alive").breaks_after = None;
    world.fetch().expect("goes on");
    assert_eq!(world.state(), FileState::Good);
    let asked = world.index.asked_from();
    assert_eq!(asked, (0..asked.len()).map(|n| n * most).collect::<Vec<_>>());
}

#[test]
fn an_archive_with_another_hash_is_refused_and_deleted() {
    let mut other = archive();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    let world = World::new(&other);
    let error = world.fetch().expect_err("another hash");
    assert!(error.contains(ARCHIVE) && error.contains("came with hash"), "{error}");
    assert_eq!(world.state(), FileState::Missing);
    assert!(world.partial().is_empty(), "{:?}", world.partial());
}

#[test]
fn a_half_file_under_the_right_name_is_replaced() {
    let world = World::new(&archive());
    std::fs::write(world.folder.path().join("model.bin"), "half").expect("written");
    world.fetch().expect("fetches");
    assert_eq!(world.state(), FileState::Good);
}

#[test]
fn without_a_network_the_error_says_what_to_do() {
    let mut world = World::new(&archive());
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    world.url = Url::parse(&format!("http://{closed}/simple/")).expect("an address");
    let error = world.fetch().expect_err("nobody answers");
    assert!(error.contains("PIP_INDEX_URL") && error.contains("by hand"), "{error}");
    // By hand, then.
    std::fs::write(world.folder.path().join("model.bin"), weights()).expect("written");
    world.fetch().expect("is there");
}

#[test]
fn a_full_disk_is_named_and_nothing_broken_stays() {
    // A device that is always full stands in for the disk, where there is one.
    if !Path::new("/dev/full").exists() {
        return;
    }
    let world = World::new(&archive());
    let partial = world.folder.path().join("partial");
    std::fs::create_dir(&partial).expect("made");
    std::os::unix::fs::symlink("/dev/full", partial.join("model.bin.new")).expect("linked");
    let error = world.fetch().expect_err("no room");
    assert!(error.contains("the disk is full") && error.contains("--models"), "{error}");
    assert_eq!(world.state(), FileState::Missing);
    let left = world.partial();
    assert_eq!(left, [ARCHIVE], "the download is kept, its halves are not");
    // With room again, the archive needs no second download.
    world.fetch().expect("fetches");
    assert_eq!(world.index.asked_from(), [0]);
    let mut bytes = Vec::new();
    let path = world.folder.path().join("model.bin");
    std::fs::File::open(path).expect("there").read_to_end(&mut bytes).expect("read");
    assert_eq!(bytes, weights());
}
