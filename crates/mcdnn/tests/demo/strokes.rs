//! The ten digits as a hand draws them: strokes of points, 0 to 1 from left to right and from top to bottom.

pub(crate) type Point = [f64; 2];

/// The strokes of a digit.
pub(crate) fn of(digit: u8) -> Vec<Vec<Point>> {
    match digit {
        0 => vec![arc([0.5, 0.5], [0.2, 0.32], [-80.0, 280.0])],
        1 => vec![vec![[0.53, 0.16], [0.47, 0.84]]],
        2 => {
            vec![[arc([0.48, 0.34], [0.19, 0.18], [190.0, 390.0]), vec![[0.28, 0.82], [0.72, 0.8]]].concat()]
        }
        3 => vec![
            [
                arc([0.46, 0.32], [0.19, 0.16], [200.0, 440.0]),
                arc([0.46, 0.66], [0.21, 0.18], [-80.0, 155.0]),
            ]
            .concat(),
        ],
        4 => vec![vec![[0.38, 0.17], [0.3, 0.53], [0.72, 0.5]], vec![[0.63, 0.2], [0.57, 0.86]]],
        5 => {
            vec![
                [
                    vec![[0.68, 0.17], [0.4, 0.18], [0.36, 0.47]],
                    arc([0.46, 0.63], [0.2, 0.19], [-120.0, 145.0]),
                ]
                .concat(),
            ]
        }
        6 => vec![
            [vec![[0.58, 0.15], [0.44, 0.3], [0.35, 0.5]], arc([0.5, 0.67], [0.16, 0.17], [190.0, 545.0])]
                .concat(),
        ],
        7 => vec![vec![[0.28, 0.2], [0.7, 0.18], [0.46, 0.85]]],
        8 => vec![
            [arc([0.5, 0.33], [0.15, 0.16], [90.0, 440.0]), arc([0.5, 0.66], [0.17, 0.17], [-90.0, 260.0])]
                .concat(),
        ],
        9 => {
            vec![[arc([0.48, 0.35], [0.16, 0.18], [0.0, -355.0]), vec![[0.64, 0.36], [0.57, 0.86]]].concat()]
        }
        _ => panic!("{digit} is no digit"),
    }
}

/// A part of an ellipse about a centre, between two angles in degrees: 0 is right, 90 is down.
fn arc([x, y]: Point, [width, height]: [f64; 2], [from, to]: [f64; 2]) -> Vec<Point> {
    let n = 16;
    let angle = |step: i32| (from + (to - from) * f64::from(step) / f64::from(n)).to_radians();
    (0..=n).map(|step| [x + width * angle(step).cos(), y + height * angle(step).sin()]).collect()
}
