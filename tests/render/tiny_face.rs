//! A TrueType font with one square, made here so that a second face is there on every machine.

/// A font whose only character is `character`, 1,000 units to the em.
pub fn with_square(character: char) -> Vec<u8> {
    let square: &[(i16, i16)] = &[(100, 0), (100, 800), (900, 800), (900, 0)];
    let mut glyph = words(&[1, 100, 0, 900, 800, 3, 0]);
    glyph.extend([1u8; 4]);
    let (mut x, mut y) = (0, 0);
    glyph.extend(square.iter().flat_map(|p| {
        let d = p.0 - x;
        x = p.0;
        d.to_be_bytes()
    }));
    glyph.extend(square.iter().flat_map(|p| {
        let d = p.1 - y;
        y = p.1;
        d.to_be_bytes()
    }));
    let end = (glyph.len() as u32).to_be_bytes();

    let mut head = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x5f, 0x0f, 0x3c, 0xf5];
    head.extend(words(&[0, 1000]));
    head.extend([0; 16]);
    head.extend(words(&[0, 0, 1000, 800, 0, 8, 2, 1, 0]));
    let mut hhea = words(&[1, 0, 880, -120, 0, 1000]);
    hhea.extend([0; 22]);
    hhea.extend(words(&[2]));
    let mut maxp = words(&[1, 0, 2, 4, 1]);
    maxp.extend([0; 22]);
    let mut cmap = words(&[0, 1, 3, 10]);
    cmap.extend(12u32.to_be_bytes());
    cmap.extend(words(&[12, 0]));
    for value in [28, 0, 1, u32::from(character), u32::from(character), 1] {
        cmap.extend(value.to_be_bytes());
    }
    let loca: Vec<u8> = [[0; 4], [0; 4], end].concat();
    let hmtx = words(&[1000, 0, 1000, 100]);
    sfnt(&[
        (b"cmap", cmap),
        (b"glyf", glyph),
        (b"head", head),
        (b"hhea", hhea),
        (b"hmtx", hmtx),
        (b"loca", loca),
        (b"maxp", maxp),
    ])
}

fn words(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn sfnt(tables: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0, 1, 0, 0];
    out.extend(words(&[tables.len() as i16, 0, 0, 0]));
    let mut offset = 12 + 16 * tables.len();
    for (tag, table) in tables {
        out.extend(*tag);
        out.extend([0; 4]);
        out.extend((offset as u32).to_be_bytes());
        out.extend((table.len() as u32).to_be_bytes());
        offset += table.len().next_multiple_of(4);
    }
    for (_, table) in tables {
        out.extend(table);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}
