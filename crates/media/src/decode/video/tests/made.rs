//! Films that the ffmpeg program of this machine makes: pixel formats, and clocks that jump back.

use std::process::{Command, Stdio};

use super::*;

/// What ffmpeg writes with these arguments; `None` where it has no such encoder.
fn made(ffmpeg: &Ffmpeg, arguments: &str, feed: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut command = Command::new(&ffmpeg.program);
    command.args(["-v", "error"]).args(arguments.split(' ')).stdout(Stdio::piped());
    command.stdin(if feed.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().unwrap();
    let output = std::thread::scope(|scope| {
        if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), feed) {
            scope.spawn(move || std::io::Write::write_all(&mut stdin, bytes));
        }
        child.wait_with_output().unwrap()
    });
    output.status.success().then_some(output.stdout)
}

/// The time and the luma of a frame.
type Shown = (u64, Vec<u8>);

fn seen(ffmpeg: &Ffmpeg, film: Vec<u8>, wanted: &Wanted) -> Result<(Decoded, Vec<Shown>), Problem> {
    let source = Source::from_bytes(film);
    let format = crate::probe(&source)?;
    let mut frames = Vec::new();
    let mut sink = |frame: Frame| {
        frames.push((frame.pts_us, frame.luma.pixels().to_vec()));
        ControlFlow::Continue(())
    };
    let done = ffmpeg.decode_film(&source, format, wanted, &Limits::default(), &mut sink)?;
    Ok((done, frames))
}

const SCENE: &str = "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5";

#[test]
fn luma_is_what_is_stored_and_colours_without_luma_are_converted() {
    let Some(ffmpeg) = installed() else { return };
    let mut compared = 0;
    for (format, bits) in [
        ("gray", 8),
        ("gray10le", 10),
        ("gray16le", 16),
        ("yuv410p", 8),
        ("yuv411p", 8),
        ("yuv420p", 8),
        ("yuv440p", 8),
        ("yuv444p", 8),
        ("yuvj420p", 8),
        ("yuva420p", 8),
        ("yuv422p9le", 9),
        ("yuv420p10le", 10),
        ("yuva444p10le", 10),
        ("yuv422p12le", 12),
        ("yuv420p14le", 14),
        ("yuv444p16le", 16),
    ] {
        // Without loss, and the one that says by its format that white is 255.
        let codec = if format.starts_with("yuvj") { "mjpeg" } else { "ffv1" };
        let film = format!("{SCENE} -pix_fmt {format} -c:v {codec} -f matroska -");
        let Some(film) = made(&ffmpeg, &film, None) else { continue };
        // Its first samples are the luma plane.
        let whole = format!("-f matroska -i - -pix_fmt {format} -f rawvideo -frames:v 1 -");
        let whole = made(&ffmpeg, &whole, Some(&film)).unwrap();
        let expected = match bits {
            8 => whole[..64 * 48].to_vec(),
            _ => super::super::nut::reduced(&whole[..2 * 64 * 48], bits),
        };
        let (done, frames) = seen(&ffmpeg, film, &Wanted::default()).unwrap();
        assert_eq!((&done.problems[..], frames.len()), (&[][..], 5), "{format}");
        assert!(frames[0].1 == expected, "{format}");
        compared += 1;
    }
    assert!(compared >= 10, "{compared} formats");
    let grey = made(&ffmpeg, &format!("{SCENE} -pix_fmt gray -c:v ffv1 -f matroska -"), None).unwrap();
    let (_, grey) = seen(&ffmpeg, grey, &Wanted::default()).unwrap();
    compared = 0;
    for (codec, container) in [
        ("ffv1 -pix_fmt bgr0", "matroska"),
        ("png -pix_fmt rgb24", "matroska"),
        ("png -pix_fmt pal8", "avi"),
        ("qtrle -pix_fmt rgb24", "mov -movflags frag_keyframe+empty_moov"),
        ("huffyuv -pix_fmt rgb24", "avi"),
        ("rawvideo -pix_fmt bgr24", "avi"),
        ("rawvideo -pix_fmt yuyv422", "avi"),
        ("rawvideo -pix_fmt nv12", "avi"),
        ("cinepak -pix_fmt rgb24", "avi"),
        ("msvideo1 -pix_fmt rgb555le", "avi"),
        ("zmbv -pix_fmt bgr0", "avi"),
    ] {
        let Some(film) = made(&ffmpeg, &format!("{SCENE} -c:v {codec} -f {container} -"), None) else { continue };
        let (_, frames) = seen(&ffmpeg, film, &Wanted::default())
            .unwrap_or_else(|problem| panic!("{codec} in {container}: {problem}"));
        assert!(frames.len() >= 4, "{codec} in {container}: {} frames", frames.len());
        // The same scene, in another range and by lossy codecs.
        let pairs = frames[0].1.iter().zip(&grey[0].1);
        let apart: u64 = pairs.map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
        assert!(apart < 64 * 48 * 25, "{codec} in {container}: {apart}");
        compared += 1;
    }
    assert!(compared >= 8, "{compared} codecs");
}

#[test]
fn other_containers_give_the_same_frames() {
    let Some(ffmpeg) = installed() else { return };
    let mut met = 0;
    for (codec, muxer, format) in [
        ("mpeg4 -g 10", "nut", Format::Nut),
        ("libx264 -bf 2 -g 10", "nut", Format::Nut),
        ("libx264 -bf 2 -g 10", "h264", Format::H264),
        ("libx264 -bf 2 -g 10 -x264-params aud=1", "h264", Format::H264),
        ("mpeg2video -bf 2 -g 10 -b:v 2M", "mpeg2video", Format::MpegVideo),
        ("mpeg1video -g 10 -b:v 2M", "mpeg1video", Format::MpegVideo),
        ("libx265 -g 10 -x265-params log-level=none", "hevc", Format::Hevc),
        ("libvpx -g 10", "ivf", Format::Ivf),
        ("rawvideo -pix_fmt yuv420p", "yuv4mpegpipe", Format::Y4m),
    ] {
        // MPEG knows few rates.
        let rate = if format == Format::MpegVideo { "25:d=1.2" } else { "10:d=3" };
        let scene = format!("-f lavfi -i testsrc2=s=64x48:r={rate}");
        let film = |codec: &str, muxer| made(&ffmpeg, &format!("{scene} -threads 1 -c:v {codec} -f {muxer} -"), None);
        // Its muxer takes frames as they are.
        let packed =
            if format == Format::Y4m { codec.replace("rawvideo", "wrapped_avframe") } else { codec.to_owned() };
        let (Some(bytes), Some(plain)) = (film(&packed, muxer), film(codec, "matroska")) else { continue };
        let source = Source::from_bytes(bytes.clone());
        assert_eq!(crate::probe(&source), Ok(format), "{codec}");
        let refused = decode(&source, format, &Wanted::default(), &Limits::default(), &mut |_| panic!("a frame"));
        assert!(matches!(refused, Err(Problem::Unsupported { hint, .. }) if hint.contains("install ffmpeg")));
        let (_, expected) = seen(&ffmpeg, plain, &Wanted::default()).unwrap();
        let (done, frames) = seen(&ffmpeg, bytes.clone(), &Wanted::default()).unwrap();
        assert_eq!((&done.problems[..], frames.len()), (&[][..], 30), "{codec} in {muxer}");
        // Matroska rounds to milliseconds, and streams of MPEG begin with their second frame's time.
        let off_us = if format == Format::MpegVideo { 41_000 } else { 1_000 };
        let alike = frames.iter().zip(&expected).all(|(a, b)| a.1 == b.1 && a.0.abs_diff(b.0) <= off_us);
        assert!(alike, "{codec} in {muxer}");
        // Key frames have the times that they have among all.
        let keys = Wanted { selection: Selection::KeyFrames, ..Wanted::default() };
        let (_, keys) = seen(&ffmpeg, bytes, &keys).unwrap();
        assert!(!keys.is_empty() && keys.iter().all(|key| frames.contains(key)), "{codec} in {muxer}");
        met += 1;
    }
    assert!(met >= 2, "{met} containers");
}

#[test]
fn what_cannot_be_made_in_a_pipe_is_read_as_well() {
    let Some(ffmpeg) = installed() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut met = 0;
    for (codec, name, format) in [
        ("rv20 -g 10", "film.rm", Format::RealMedia),
        ("mpeg2video -g 10", "film.mxf", Format::Mxf),
        ("libx264 -bf 2 -g 10", "film.mxf", Format::Mxf),
        ("libx264 -bf 2 -g 10", "film.avi", Format::Avi),
    ] {
        let path = folder.path().join(name);
        let film = format!("-y -f lavfi -i testsrc2=s=352x288:r=25:d=2 -threads 1 -c:v {codec} {}", path.display());
        if made(&ffmpeg, &film, None).is_none() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        assert_eq!(crate::probe(&Source::from_bytes(bytes.clone())), Ok(format));
        let (done, frames) = seen(&ffmpeg, bytes.clone(), &Wanted::default()).unwrap();
        assert_eq!((&done.problems[..], frames.len()), (&[][..], 50), "{codec} in {name}");
        let times = frames.iter().enumerate().all(|(n, (us, _))| us.abs_diff(n as u64 * 40_000) <= 80_000);
        assert!(times, "{codec} in {name}");
        let keys = Wanted { selection: Selection::KeyFrames, ..Wanted::default() };
        let (_, keys) = seen(&ffmpeg, bytes.clone(), &keys).unwrap();
        assert!(keys.len() >= 5, "{codec} in {name}: {}", keys.len());
        for (us, luma) in keys {
            let there = frames.iter().find(|frame| frame.1 == luma).unwrap();
            assert!(us.abs_diff(there.0) <= 40_000, "{codec} in {name}: {us}, {}", there.0);
        }
        // Cut short.
        let cut = |bytes: &[u8]| cut_short(&Source::from_bytes(bytes.to_vec()), format).is_some();
        assert!(!cut(&bytes) && cut(&bytes[..bytes.len() / 2]), "{name}");
        met += 1;
    }
    assert!(met > 0);
}

#[test]
fn recordings_one_behind_the_other_are_one_film() {
    let Some(ffmpeg) = installed() else { return };
    for container in ["mpegts", "mpeg"] {
        let part = |scene: &str| {
            made(&ffmpeg, &format!("-f lavfi -i {scene}=s=64x48:r=25:d=4 -c:v mpeg2video -f {container} -"), None)
                .unwrap()
        };
        let (first, second) = (part("testsrc2"), part("testsrc"));
        let (_, alone) = seen(&ffmpeg, first.clone(), &Wanted::default()).unwrap();
        let end_us = alone.last().unwrap().0;
        assert!(alone.len() > 90 && end_us > 3_500_000, "{container}");
        let (done, both) = seen(&ffmpeg, [first, second.clone(), second].concat(), &Wanted::default()).unwrap();
        assert_eq!(both[..90], alone[..90], "{container}");
        assert!(both.len() > 280, "{container}: {}", both.len());
        // A frame lies 40 ms behind the one before, and broken ends lose some.
        let steps = both.windows(2).map(|pair| pair[1].0 - pair[0].0);
        assert!(steps.clone().all(|step| (1..=200_000).contains(&step)), "{container}: {:?}", steps.max());
        assert!(done.last_us.is_some_and(|last| (11_300_000..12_700_000).contains(&last)), "{container}: {done:?}");
        let wanted = Wanted { rate_fps: Some(2), ..Wanted::default() };
        let (first, second) = (part("testsrc2"), part("testsrc"));
        let (_, few) = seen(&ffmpeg, [first, second].concat(), &wanted).unwrap();
        assert!((15..=19).contains(&few.len()), "{container}: {}", few.len());
    }
}

#[test]
fn a_frame_with_a_wrong_time_moves_no_others() {
    let Some(ffmpeg) = installed() else { return };
    let film = "-f lavfi -i testsrc2=s=64x48:r=25:d=4 -c:v ffv1 -f matroska -";
    let Some(film) = made(&ffmpeg, film, None) else { return };
    // The second block of each cluster of 12: its track, that it comes 40 ms behind the cluster, and no key frame.
    let block = [0x81, 0, 40, 0];
    let places: Vec<usize> = (0..film.len() - 4).filter(|&at| film[at..at + 4] == block).collect();
    let mut wrong = film.clone();
    wrong[places[6] + 1..places[6] + 3].copy_from_slice(&(-2_000_i16).to_be_bytes());
    let (_, right) = seen(&ffmpeg, film, &Wanted::default()).unwrap();
    let (_, wrong) = seen(&ffmpeg, wrong, &Wanted::default()).unwrap();
    assert_eq!((places.len(), right.len(), wrong.len()), (9, 100, 100));
    let moved: Vec<usize> = (0..100).filter(|&n| wrong[n] != right[n]).collect();
    assert!(moved.is_empty(), "{moved:?}");
}
