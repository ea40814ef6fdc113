//! ITU-T G.711: µ-law and A-law, sample by sample.

/// Added before the logarithm so that every µ-law segment starts on a power of two.
const ULAW_BIAS: i32 = 0x84;
/// Largest magnitude that µ-law can carry.
const ULAW_CLIP: i32 = 32_635;

/// One µ-law byte to a linear sample.
pub fn ulaw_to_linear(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 7;
    let mantissa = i32::from(byte & 0x0f);
    let magnitude = (((mantissa << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS;
    (if byte & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

/// One linear sample to a µ-law byte.
pub fn linear_to_ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(ULAW_CLIP) + ULAW_BIAS;
    // The bias keeps the magnitude at 132 or above, so bit 7 is the lowest segment.
    let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) as u8 | mantissa as u8)
}

/// One A-law byte to a linear sample.
pub fn alaw_to_linear(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 7;
    let mantissa = i32::from(byte & 0x0f);
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    (if byte & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

/// One linear sample to an A-law byte.
pub fn linear_to_alaw(sample: i16) -> u8 {
    // A-law has no negative zero: −1 maps to the first negative step, as in the standard.
    let (sign, magnitude) =
        if sample < 0 { (0, i32::from(!sample)) } else { (0x80, i32::from(sample)) };
    let byte = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = 31 - magnitude.leading_zeros() as i32 - 7;
        (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)
    };
    (byte as u8 | sign) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_word_survives_a_round_trip() {
        for byte in 0..=u8::MAX {
            let linear = ulaw_to_linear(byte);
            // µ-law has two zeros; both decode to 0 and encode to the positive one.
            if linear != 0 {
                assert_eq!(linear_to_ulaw(linear), byte, "ulaw {byte}");
            }
            assert_eq!(linear_to_alaw(alaw_to_linear(byte)), byte, "alaw {byte}");
        }
    }

    #[test]
    fn known_values_of_the_standard() {
        assert_eq!(linear_to_ulaw(0), 0xff);
        assert_eq!(ulaw_to_linear(0x80), 32_124);
        assert_eq!(ulaw_to_linear(0x00), -32_124);
        assert_eq!(linear_to_alaw(0), 0xd5);
        assert_eq!(alaw_to_linear(0xaa), 32_256);
    }

    #[test]
    fn the_error_stays_within_a_quantisation_step() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let step = (i32::from(sample).abs() / 16).max(16);
            for back in
                [ulaw_to_linear(linear_to_ulaw(sample)), alaw_to_linear(linear_to_alaw(sample))]
            {
                let error = (i32::from(back) - i32::from(sample)).abs();
                // µ-law clips the last 132 steps of the range.
                assert!(error <= step.max(644), "{sample} became {back}");
            }
        }
    }
}
