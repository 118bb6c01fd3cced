//! What a picture costs, by the formulas that the providers publish. It never looks at pixels.

use super::request::{Detail, Image};

/// A provider's formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageRule {
    /// Tiles of 512 pixels: a base, and a price for each tile.
    Tiles {
        /// What any picture costs; all that one in low detail does.
        base: usize,
        /// What a tile costs.
        tile: usize,
    },
    /// Patches of 32 pixels, at most 1,536, times a factor in hundredths.
    Patches {
        /// The factor.
        percent: usize,
    },
    /// Width times height over 750, after the longer edge was brought down to 1,568 pixels.
    Area,
    /// 258 a tile of 768 pixels, one tile up to 384 pixels.
    Gemini,
    /// The model takes no pictures, or nobody says what they cost.
    Unknown,
}

/// The edge of a patch.
const PATCH: f64 = 32.0;

/// What a picture of unknown size is taken for.
const TYPICAL: (u32, u32) = (1024, 1024);

/// <https://platform.openai.com/docs/guides/images-vision>, "Calculating costs".
const MOST_PATCHES: usize = 1536;

/// 768 by 2,048 pixels, the largest picture that is not brought down.
const MOST_TILES: usize = 8;

/// <https://docs.anthropic.com/en/docs/build-with-claude/vision>, "Evaluate image size".
const ANTHROPIC_EDGE: f64 = 1568.0;
const ANTHROPIC_MOST: usize = 1600;

/// <https://ai.google.dev/gemini-api/docs/tokens>, "Multimodal tokens".
const GEMINI_TILE: usize = 258;

impl ImageRule {
    /// The rule of an OpenAI model.
    #[must_use]
    pub fn of_openai(model: &str) -> Self {
        let rules = OPENAI.iter().find(|(prefix, _)| model.starts_with(prefix));
        rules.map_or(Self::Tiles { base: 85, tile: 170 }, |(_, rule)| *rule)
    }

    /// The tokens of `image`.
    #[must_use]
    pub fn tokens(self, image: Image) -> usize {
        let (width, height) = image.size.unwrap_or(TYPICAL);
        match self {
            Self::Tiles { base, .. } if image.detail == Detail::Low => base,
            Self::Tiles { base, tile } => base + tile * openai_tiles(width, height),
            Self::Patches { percent } => (openai_patches(width, height) * percent).div_ceil(100),
            Self::Area => area(width, height),
            Self::Gemini => GEMINI_TILE * gemini_tiles(width, height),
            Self::Unknown => 0,
        }
    }

    /// How far off that may be because the size is not known; `None` where a picture can cost any amount.
    pub(super) fn doubt(self, image: Image) -> Option<usize> {
        let taken = self.tokens(image);
        let most = match self {
            Self::Unknown => return None,
            _ if image.size.is_some() => taken,
            Self::Tiles { .. } if image.detail == Detail::Low => taken,
            Self::Tiles { base, tile } => base + tile * MOST_TILES,
            Self::Patches { percent } => (MOST_PATCHES * percent).div_ceil(100),
            Self::Area => ANTHROPIC_MOST,
            Self::Gemini => return None,
        };
        Some(if most == taken { 0 } else { taken.max(most - taken) })
    }
}

/// Prefixes of model names, the longer ones first.
const OPENAI: &[(&str, ImageRule)] = &[
    ("gpt-4o-mini", ImageRule::Tiles { base: 2833, tile: 5667 }),
    ("gpt-4.1-mini", ImageRule::Patches { percent: 162 }),
    ("gpt-4.1-nano", ImageRule::Patches { percent: 246 }),
    ("gpt-5-mini", ImageRule::Patches { percent: 162 }),
    ("gpt-5-nano", ImageRule::Patches { percent: 246 }),
    ("o4-mini", ImageRule::Patches { percent: 172 }),
    ("gpt-5", ImageRule::Tiles { base: 70, tile: 140 }),
    ("o1", ImageRule::Tiles { base: 75, tile: 150 }),
    ("o3", ImageRule::Tiles { base: 75, tile: 150 }),
];

/// Into a square of 2,048, then the shorter edge down to 768, then tiles of 512.
fn openai_tiles(width: u32, height: u32) -> usize {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let fit = (2048.0 / width.max(height)).min(1.0);
    let short = (768.0 / (width.min(height) * fit)).min(1.0);
    tiles(width * fit * short, 512.0) * tiles(height * fit * short, 512.0)
}

/// A picture of more than the most patches is brought down until it has at most that many, and then until its edges are
/// no part of a patch over.
fn openai_patches(width: u32, height: u32) -> usize {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let patches = |fit: f64| tiles(width * fit, PATCH).max(1) * tiles(height * fit, PATCH).max(1);
    if patches(1.0) <= MOST_PATCHES {
        return patches(1.0);
    }
    let fit = (PATCH * (MOST_PATCHES as f64 / (width * height)).sqrt()).min(1.0);
    let whole = |edge: f64| (edge * fit / PATCH).floor().max(1.0) / (edge * fit / PATCH).max(1.0);
    patches(fit * whole(width).min(whole(height))).min(MOST_PATCHES)
}

fn area(width: u32, height: u32) -> usize {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let fit = (ANTHROPIC_EDGE / width.max(height)).min(1.0);
    tiles(width * fit * height * fit, 750.0).min(ANTHROPIC_MOST)
}

fn gemini_tiles(width: u32, height: u32) -> usize {
    if width <= 384 && height <= 384 {
        return 1;
    }
    tiles(f64::from(width), 768.0).max(1) * tiles(f64::from(height), 768.0).max(1)
}

/// How many lengths of `edge` cover `length`; a hair over is not one more.
fn tiles(length: f64, edge: f64) -> usize {
    (length / edge - 1e-9).ceil().max(0.0) as usize
}
