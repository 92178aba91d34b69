//! The built-in themes of 24 bits: a ground, and a colour for each role.

use ratatui::style::Color;
use ratatui::style::Style;

use super::Role;

/// Red, green and blue in one number.
type Rgb = u32;

/// A theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Its name in settings.
    pub name: &'static str,
    ground: Rgb,
    text: Rgb,
    faint: Rgb,
    /// Text and ground of the selected row.
    selected: (Rgb, Rgb),
    key: Rgb,
    typing: Rgb,
    attention: Rgb,
    running: Rgb,
    stopping: Rgb,
    ended: Rgb,
    failed: Rgb,
}

/// All of them.
pub const ALL: [Palette; 3] = [
    Palette {
        name: "dark",
        ground: 0x16_18_1d,
        text: 0xd7_da_e0,
        faint: 0x8b_93_a1,
        selected: (0xff_ff_ff, 0x2f_48_6b),
        key: 0xe5_c0_7b,
        typing: 0x98_c3_79,
        attention: 0xff_b8_6c,
        running: 0x98_c3_79,
        stopping: 0xc6_8a_de,
        ended: 0x6c_b6_f5,
        failed: 0xf0_71_78,
    },
    Palette {
        name: "light",
        ground: 0xfa_fa_f7,
        text: 0x24_29_2f,
        faint: 0x5f_67_70,
        selected: (0x0b_1f_33, 0xc5_dc_f5),
        key: 0x7a_4a_00,
        typing: 0x1a_66_2b,
        attention: 0x9a_3d_00,
        running: 0x1a_66_2b,
        stopping: 0x7a_1f_8f,
        ended: 0x0a_52_a3,
        failed: 0xb1_1f_28,
    },
    Palette {
        name: "contrast",
        ground: 0x00_00_00,
        text: 0xff_ff_ff,
        faint: 0xc8_c8_c8,
        selected: (0x00_00_00, 0xff_ff_00),
        key: 0xff_ff_00,
        typing: 0x00_ff_00,
        attention: 0xff_a5_00,
        running: 0x00_ff_00,
        stopping: 0xff_80_ff,
        ended: 0x7f_d4_ff,
        failed: 0xff_7f_7f,
    },
];

/// Returns a theme.
pub fn named(name: &str) -> Option<Palette> {
    ALL.into_iter().find(|palette| palette.name == name)
}

impl Palette {
    /// Returns it with another colour for a role, by the names in settings.
    #[must_use]
    pub fn with(mut self, role: &str, rgb: Rgb) -> Self {
        let place = match role {
            "ground" => &mut self.ground,
            "text" => &mut self.text,
            "faint" => &mut self.faint,
            "selected" => &mut self.selected.0,
            "selected_ground" => &mut self.selected.1,
            "key" => &mut self.key,
            "typing" => &mut self.typing,
            "attention" => &mut self.attention,
            "running" => &mut self.running,
            "stopping" => &mut self.stopping,
            "ended" => &mut self.ended,
            "failed" => &mut self.failed,
            _ => return self,
        };
        *place = rgb;
        self
    }

    /// Returns how something looks.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        let fg = match role {
            Role::Text | Role::Heading | Role::Notice | Role::Match => self.text,
            Role::Faint | Role::Viewing => self.faint,
            Role::Selected => self.selected.0,
            Role::Key => self.key,
            Role::Typing => self.typing,
            Role::Attention | Role::Warning => self.attention,
            Role::Danger | Role::Failed => self.failed,
            Role::Running => self.running,
            Role::Stopping => self.stopping,
            Role::Ended => self.ended,
        };
        let bg = if role == Role::Selected { self.selected.1 } else { self.ground };
        Style::new().fg(color(fg)).bg(color(bg)).add_modifier(role.modifier())
    }
}

const fn color(rgb: Rgb) -> Color {
    Color::Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

/// Returns how well one colour can be read on another, 1 to 21, as WCAG 2 counts.
pub fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |color: Color| {
        let Color::Rgb(r, g, b) = color else { return 0.0 };
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.039_28 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    };
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
