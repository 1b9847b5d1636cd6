//! Cards as they are printed and shown: one description of the faces, painted as PDF sheets and as PNG pictures.
//!
//! ```text
//! CardData + CardDesign ──face.rs──> display list (draw.rs) ──pdf.rs──> sheets (layout.rs says where each card goes)
//!        templates/cards/*.toml ──┘                         └─png.rs──> one picture
//! ```
//!
//! To print: build one [`CardDesign`], run [`check`] over the *whole* batch (so that nothing is written before the last
//! name is known to be printable), then call [`pdf::sheets`] once for each file of about a thousand cards.
//!
//! To move something on the card: edit `templates/cards/standard.toml`; sizes, places and colours stand only there.
//! To add an element: a table there, a field in [`template::Template`], its drawing in `face.rs`; both painters follow.
//!
//! Invariants: no clock, no randomness (the same input gives the same bytes), no text is ever dropped or shortened in
//! silence, and a character that no font has is an error with the name it stands in.

pub mod form;
pub mod layout;
pub mod paper;
pub mod pdf;
pub mod photo;
pub mod png;
pub mod qr;
pub mod template;
pub mod text;

mod draw;
mod face;

use jiff::civil::Date;

pub use layout::Layout;
pub use photo::{Photo, PhotoError, Picture};
pub use template::{Template, TemplateError};
pub use text::{FontError, Fonts, MissingGlyph};

/// What one card says. Its code was signed elsewhere; here it is only drawn.
#[derive(Debug, Clone)]
pub struct CardData {
    /// The certificate number as printed, in groups: `02 0001234 9`.
    pub number: String,
    /// The volunteer's full name; always printed entire.
    pub name: String,
    /// The unit; printed entire, on up to three lines. May be empty.
    pub unit: String,
    /// Star level, 0 (registered, not yet a star volunteer) to 5.
    pub star: u8,
    /// The last day of validity, in Beijing time.
    pub valid_until: Date,
    /// The text of the QR code: `<prefix>#<digits>` or `<digits>` (CREDENTIAL.md).
    pub code: String,
    /// The holder's photo, if there is one.
    pub photo: Option<Photo>,
}

/// What is the same on every card of a batch: words, contact, logo, fonts and template.
///
/// `CardDesign { phone: …, ..CardDesign::default() }` is the usual way to make one. A field left empty leaves its line
/// out, and what stands below moves up.
#[derive(Debug, Clone)]
pub struct CardDesign {
    /// The title on the front.
    pub title: String,
    /// The issuing body, at the foot of both sides and as the author of the PDF.
    pub issuer: String,
    /// What to do with the code, behind the issuer at the foot of the front.
    pub verify_line: String,
    /// The holder's duties, on the back: at most eight short lines (notice 普创文办〔2018〕12号, annex 4, section 2).
    pub duties: Vec<String>,
    /// 激励回馈 in one sentence (annex 4, section 4).
    pub incentive: String,
    /// What to do when the card is lost or found.
    pub lost_line: String,
    /// The federation's telephone.
    pub phone: String,
    /// The federation's address.
    pub address: String,
    /// The federation's own mark, to the left of the title. Everything looks finished without one.
    pub logo: Option<Picture>,
    /// The faces to set text in.
    pub fonts: Fonts,
    /// Sizes, places and colours.
    pub template: Template,
}

impl Default for CardDesign {
    fn default() -> Self {
        Self {
            title: "普洱市志愿服务证".into(),
            issuer: "普洱市志愿服务联合会".into(),
            verify_line: "扫码验真".into(),
            duties: [
                "遵守法律法规，志愿服务不计报酬，不向服务对象收取报酬。",
                "遵循志愿服务宗旨，积极参与志愿服务活动。",
                "履行志愿服务承诺，维护志愿服务组织和志愿者形象。",
                "尊重服务对象，保护他人隐私，维护其合法权益。",
                "正确使用志愿者标识，妥善保管本证，仅限本人使用。",
                "不以志愿者身份从事营利或违背社会公德的行为。",
            ]
            .map(String::from)
            .to_vec(),
            incentive: "持本证到与普洱市志愿服务联合会签订协议的单位购物、消费、看病、寻求帮助，\
                        可享受相应的优先、优惠或免费服务。"
                .into(),
            lost_line: "本证遗失请及时挂失，原证随即失效；拾到者请交还发证单位。".into(),
            phone: String::new(),
            address: String::new(),
            logo: None,
            fonts: Fonts::embedded(),
            template: Template::standard(),
        }
    }
}

/// Why a card cannot be drawn. Each names the card, so that the list can be corrected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// An empty batch.
    #[error("没有可打印的证卡：请先制证（zyz issue），或检查筛选条件")]
    NothingToPrint,
    /// A character that no loaded face has.
    #[error(transparent)]
    MissingGlyph(#[from] MissingGlyph),
    /// A text that does not fit its place even at the smallest size; nothing is cut off in silence.
    #[error("{owner}的{field}“{text}”太长，最小字号也排不下：请使用较短的规范简称后再打印")]
    TextTooLong {
        /// Whose card: name and number, or 证卡版式 for the design's own words.
        owner: String,
        /// Which text, in Chinese.
        field: &'static str,
        /// The text itself.
        text: String,
    },
    /// The QR code would need modules under 0.40 mm, or does not fit any symbol.
    #[error("{owner}的二维码放不下：{source}")]
    CodeTooLarge {
        /// Whose card.
        owner: String,
        /// How much too large.
        source: qr::CodeTooLarge,
    },
    /// A star level outside 0 to 5.
    #[error("{owner}的星级是 {star}，只能是 0 到 5：请检查星级认定数据")]
    StarOutOfRange {
        /// Whose card.
        owner: String,
        /// The level given.
        star: u8,
    },
    /// A field that must not be empty is.
    #[error("{owner}的{field}是空的：请补全后再打印")]
    EmptyField {
        /// Whose card.
        owner: String,
        /// Which field, in Chinese.
        field: &'static str,
    },
    /// An embedded face could not be reduced to the characters used.
    #[error("字体 {font} 无法嵌入 PDF（{reason}）：请换用标准的 TrueType 或 OpenType 字体文件")]
    FontNotEmbeddable {
        /// The face's name.
        font: String,
        /// What the subsetter said.
        reason: String,
    },
    /// The picture could not be written as PNG or read back from its own storage.
    #[error("图片处理失败（{0}）：请换一张照片或缩小输出尺寸后重试")]
    Picture(String),
}

/// Checks a whole batch before anything is printed: characters, lengths, stars, codes. Draws nothing.
///
/// # Errors
/// Every card that cannot be printed, in the order given; the design's own faults come first.
pub fn check(cards: &[CardData], design: &CardDesign) -> Result<(), Vec<RenderError>> {
    face::check(cards, design)
}

/// Shares `items` out over all cores in one piece each; the results come back in order.
fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    // Below this, a thread costs more than it saves.
    const LEAST: usize = 16;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = items.len().div_ceil(cores).max(LEAST);
    if items.len() <= share {
        return vec![work(items)];
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|chunk| {
                scope.spawn({
                    let work = &work;
                    move || work(chunk)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
