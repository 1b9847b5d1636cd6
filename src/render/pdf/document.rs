//! The document around the content: forms, pages, metadata, identifier.
//!
//! printpdf owns the document: its pages, resources, fonts and metadata, and how it is saved. What printpdf has no word
//! for is set on the objects it made, just before they are saved ([`Document::finish`]).

use jiff::Timestamp;
use printpdf::{
    DictItem, ExternalStream, ExternalXObject, OffsetDateTime, Op, PdfDocument, PdfPage, PdfSaveOptions, Pt, Rect,
    XObject, XObjectId, XObjectTransform,
};
use sha2::{Digest, Sha256};

use super::super::draw::{Frame, Item};
use super::super::layout::{Layout, Size};
use super::super::photo::Picture;
use super::fonts::Embedded;
use super::paint::{self, Deflater, millimetres, scale};

/// Fonts are reduced and streams deflated before printpdf sees them.
const AS_GIVEN: PdfSaveOptions =
    PdfSaveOptions { optimize: false, subset_fonts: false, secure: false, image_optimization: None };

/// A piece of content used by name: a deflated stream, the part of it that shows, and the pictures it calls.
pub(super) struct Form<'a> {
    pub stream: Vec<u8>,
    /// In millimetres, y downwards like the display list.
    pub frame: Frame,
    /// Height of the coordinate system, in millimetres.
    pub height: f32,
    pub items: &'a [Item],
}

/// A document being written.
pub(super) struct Document<'a> {
    pdf: PdfDocument,
    fonts: &'a Embedded,
    /// Of every page, in millimetres.
    size: Size,
    preferences: DictItem,
    /// The form with the cut marks, if the layout has any.
    marks: Option<XObjectId>,
    /// Of all that is drawn; the file's identifier.
    digest: Sha256,
}

impl<'a> Document<'a> {
    /// Sheets of cards.
    pub(super) fn new(fonts: &'a Embedded, layout: Layout) -> Self {
        let (marks, size) = (layout.marks(), layout.page());
        let mut document = Self::of_pages(fonts, size, preferences(layout));
        if !marks.is_empty() {
            let stream = Deflater::new().deflate(&paint::marks(&marks, size.height));
            let frame = Frame { x: 0.0, y: 0.0, width: size.width, height: size.height };
            let form = Form { stream, frame, height: size.height, items: &[] };
            document.marks = Some(document.form("M".into(), form));
        }
        document
    }

    /// Pages to read, which a printer may fit to its paper.
    pub(super) fn text(fonts: &'a Embedded, size: Size) -> Self {
        Self::of_pages(fonts, size, dict([("DisplayDocTitle", DictItem::Bool(true))]))
    }

    fn of_pages(fonts: &'a Embedded, size: Size, preferences: DictItem) -> Self {
        let mut pdf = PdfDocument::new("");
        pdf.resources.fonts.map.extend(fonts.fonts());
        let mut digest = Sha256::new();
        for font in pdf.resources.fonts.map.values() {
            digest.update(&font.parsed_font.original_bytes);
        }
        Self { pdf, fonts, size, preferences, marks: None, digest }
    }

    /// Adds a form and the pictures its items name.
    pub(super) fn form(&mut self, name: String, form: Form) -> XObjectId {
        let pictures: Vec<(&str, DictItem)> = form
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Photo { photo, .. } => {
                    Some(("P", image(photo.width(), photo.height(), "DeviceRGB", "DCTDecode", photo.jpeg().into())))
                }
                Item::Logo { logo, .. } => Some(("L", with_transparency(logo))),
                _ => None,
            })
            .collect();
        let Frame { x, y, width, height } = form.frame;
        let bottom = form.height - y - height;
        let dictionary = [
            ("Type", named("XObject")),
            ("Subtype", named("Form")),
            ("BBox", numbers([x, bottom, x + width, bottom + height])),
            ("Matrix", numbers([scale(), 0.0, 0.0, scale(), 0.0, 0.0])),
            ("Filter", named("FlateDecode")),
            ("Resources", dict([("XObject", dict(pictures))])),
        ];
        let stream = stream(dictionary, form.stream);
        self.digest.update(&stream.content);
        for item in form.items {
            match item {
                Item::Photo { photo, .. } => self.digest.update(photo.jpeg()),
                Item::Logo { logo, .. } => self.digest.update(logo.pixels().as_raw()),
                _ => {}
            }
        }
        let id = XObjectId(name);
        let form = ExternalXObject { stream, width: None, height: None, dpi: None };
        self.pdf.resources.xobjects.map.insert(id.clone(), XObject::External(form));
        id
    }

    /// Adds a page with the cut marks and `forms`, each with its origin at a place in millimetres from the bottom left.
    pub(super) fn page<'f>(&mut self, forms: impl IntoIterator<Item = (&'f XObjectId, (f32, f32))>) {
        let draw = |(id, (x, y)): (&XObjectId, (f32, f32))| {
            let (x, y) = (Some(Pt(millimetres(x))), Some(Pt(millimetres(y))));
            Op::UseXobject {
                id: id.clone(),
                transform: XObjectTransform { translate_x: x, translate_y: y, ..XObjectTransform::default() },
            }
        };
        let marks = self.marks.iter().map(|marks| draw((marks, (0.0, 0.0))));
        let ops = marks.chain(forms.into_iter().map(draw)).collect();
        self.pdf.pages.push(self.blank(ops));
    }

    /// Closes the document with its metadata.
    pub(super) fn finish(mut self, title: &str, author: &str, created: Timestamp) -> Vec<u8> {
        let date = OffsetDateTime::from_unix_timestamp(created.as_second()).unwrap_or(OffsetDateTime::epoch());
        let info = &mut self.pdf.metadata.info;
        info.document_title = title.into();
        info.author = author.into();
        info.creator = "zyz".into();
        info.producer = concat!("zyz ", env!("CARGO_PKG_VERSION"), ", printpdf").into();
        info.creation_date = date;
        info.modification_date = date;
        info.metadata_date = date;
        self.digest.update(title.as_bytes());
        self.digest.update(created.as_second().to_le_bytes());
        // printpdf embeds a font only for glyphs that a page shows; ours stand in forms. So a last page shows them all,
        // and is taken away again.
        self.pdf.pages.push(self.blank(self.fonts.specimen()));
        self.save().expect("printpdf makes a catalog, a page tree and resources")
    }

    /// Saves the document after setting on its objects what printpdf has no word for: language and printing, the bleed
    /// box, an identifier that is the same for the same content, and resources that are a page's and a form's own.
    fn save(self) -> Option<Vec<u8>> {
        let mut file = self.pdf.to_lopdf_document(&AS_GIVEN, &mut Vec::new());
        let used: Vec<Vec<XObjectId>> = self.pdf.pages.iter().map(PdfPage::get_xobject_ids).collect();
        drop(self.pdf);
        file.version = "1.7".into();
        let identifier = DictItem::Bytes(self.digest.finalize()[..16].to_vec()).to_lopdf();
        file.trailer.set("ID", vec![identifier.clone(), identifier]);
        // An empty PDF/X version would still pass for a claim to be PDF/X.
        let information = file.trailer.get(b"Info").ok()?.as_reference().ok()?;
        for empty in ["GTS_PDFXVersion", "Identifier", "Subject", "Keywords"] {
            file.get_dictionary_mut(information).ok()?.remove(empty.as_bytes());
        }
        let catalog = file.catalog_mut().ok()?;
        catalog.set("Lang", DictItem::String { data: b"zh-CN".to_vec(), literal: true }.to_lopdf());
        catalog.set("ViewerPreferences", self.preferences.to_lopdf());
        let tree = catalog.get(b"Pages").ok()?.as_reference().ok()?;

        let tree = file.get_dictionary_mut(tree).ok()?;
        let kids = tree.get_mut(b"Kids").ok()?.as_array_mut().ok()?;
        let specimen = kids.pop()?.as_reference().ok()?;
        let pages: Vec<_> = kids.iter().filter_map(|page| page.as_reference().ok()).collect();
        tree.set("Count", pages.len() as i64);
        let specimen = file.objects.remove(&specimen)?;
        let part = |key: &[u8]| specimen.as_dict().ok()?.get(key).ok()?.as_reference().ok();
        file.objects.remove(&part(b"Contents")?);
        let resources = file.objects.remove(&part(b"Resources")?)?;
        let resource = |key: &[u8]| resources.as_dict().ok()?.get(key).ok()?.as_reference().ok();
        let (fonts, forms) = (resource(b"Font")?, file.objects.remove(&resource(b"XObject")?)?);
        let forms = forms.as_dict().ok()?;

        for (page, used) in pages.into_iter().zip(used) {
            let page = file.get_dictionary_mut(page).ok()?;
            let sheet = page.get(b"MediaBox").ok()?.clone();
            page.set("BleedBox", sheet);
            let resources = page.get(b"Resources").ok()?.as_reference().ok()?;
            // printpdf names every form of the document on every page. Whoever takes a page out of the file must not
            // take everyone's card along.
            let own = used.iter().filter_map(|id| {
                let (obj, r#gen) = forms.get(id.0.as_bytes()).ok()?.as_reference().ok()?;
                Some((id.0.as_str(), DictItem::Ref { obj, r#gen }))
            });
            file.set_object(resources, dict([("XObject", dict(own))]).to_lopdf());
        }
        for object in file.objects.values_mut() {
            let Ok(stream) = object.as_stream_mut() else { continue };
            if let Ok(resources) = stream.dict.get_mut(b"Resources") {
                resources.as_dict_mut().ok()?.set("Font", fonts);
            }
        }
        file.compress();
        let mut bytes = Vec::new();
        file.save_to(&mut bytes).ok()?;
        Some(bytes)
    }

    /// A page of the layout's size that shows `ops`.
    fn blank(&self, ops: Vec<Op>) -> PdfPage {
        let size = self.size;
        let sheet = Rect::from_wh(Pt(millimetres(size.width)), Pt(millimetres(size.height)));
        PdfPage { media_box: sheet.clone(), trim_box: sheet.clone(), crop_box: sheet, ops }
    }
}

/// At its true size and on both sides, without being asked: a card scaled to fit is no CR80 card.
fn preferences(layout: Layout) -> DictItem {
    let duplex = match layout {
        Layout::A4EightUp | Layout::A4TenUp => "DuplexFlipLongEdge",
        Layout::Cr80 => "DuplexFlipShortEdge",
    };
    let title = DictItem::Bool(true);
    dict([("DisplayDocTitle", title), ("PrintScaling", named("None")), ("Duplex", named(duplex))])
}

/// The logo's colours and, apart, its transparency.
fn with_transparency(logo: &Picture) -> DictItem {
    let mut deflater = Deflater::new();
    let (width, height) = (logo.width(), logo.height());
    let alpha: Vec<u8> = logo.pixels().pixels().map(|pixel| pixel[3]).collect();
    let mask = image(width, height, "DeviceGray", "FlateDecode", deflater.deflate(&alpha));
    let colours: Vec<u8> = logo.pixels().pixels().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut image = image(width, height, "DeviceRGB", "FlateDecode", deflater.deflate(&colours));
    if let DictItem::Stream { stream } = &mut image {
        stream.dict.insert("SMask".into(), mask);
    }
    image
}

fn image(width: u32, height: u32, colours: &str, filter: &str, content: Vec<u8>) -> DictItem {
    let dictionary = [
        ("Type", named("XObject")),
        ("Subtype", named("Image")),
        ("Width", DictItem::Int(width.into())),
        ("Height", DictItem::Int(height.into())),
        ("ColorSpace", named(colours)),
        ("BitsPerComponent", DictItem::Int(8)),
        ("Filter", named(filter)),
    ];
    DictItem::Stream { stream: stream(dictionary, content) }
}

/// A stream as it stands in the file; it is not compressed again.
fn stream<'a>(dictionary: impl IntoIterator<Item = (&'a str, DictItem)>, content: Vec<u8>) -> ExternalStream {
    let dict = dictionary.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    ExternalStream { dict, content, compress: false }
}

fn dict<'a>(entries: impl IntoIterator<Item = (&'a str, DictItem)>) -> DictItem {
    DictItem::Dict { map: entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }
}

fn named(name: &str) -> DictItem {
    DictItem::Name(name.into())
}

fn numbers<const N: usize>(numbers: [f32; N]) -> DictItem {
    DictItem::Array(numbers.map(DictItem::Real).into())
}
