//! The checksum of SQLite's write-ahead log and of its index.

/// Goes on with SQLite's checksum over some bytes, a multiple of eight.
pub(crate) fn checksum(bytes: &[u8], from: [u32; 2], is_big_endian: bool) -> [u32; 2] {
    let number = if is_big_endian {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().fold(from, |[one, two], &[a, b, c, d, e, f, g, h]| {
        let one = one.wrapping_add(number([a, b, c, d])).wrapping_add(two);
        [one, two.wrapping_add(number([e, f, g, h])).wrapping_add(one)]
    })
}
