//! The files of a report, each whole or absent.

use std::fs;
use std::io;
use std::path::PathBuf;

use study::{ResultsFolder, StudyError, write_whole};

use crate::drawing::figure::Figure;
use crate::drawing::raster::Rasterizer;
use crate::figures::{self, Part};
use crate::{Evidence, Listing, ReportError, Summary, markdown, page, summary};

/// A study's report: its numbers, its figures and its page.
#[derive(Debug)]
pub struct Report<'a> {
    summary: &'a Summary,
    figures: Vec<(Part, Figure)>,
}

/// Whether figures are written as PNG too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// SVG only.
    None,
    /// A PNG beside each SVG, for light paper, with a font of this system.
    Png,
}

impl<'a> Report<'a> {
    /// Draws every figure that the evidence has something to show in.
    ///
    /// # Errors
    /// [`ReportError::Figure`] when the plotting library fails.
    pub fn draw(evidence: &Evidence<'a>) -> Result<Self, ReportError> {
        Ok(Self { summary: evidence.summary, figures: figures::draw(evidence)? })
    }

    /// The figures, in the order of the page.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.figures.iter().map(|(_, figure)| figure)
    }

    /// The page: one file, which needs no network, and no script to be read.
    #[must_use]
    pub fn html(&self) -> String {
        page::html(self.summary, &self.figures)
    }

    /// Writes `committee.json`, `report.md`, `figures/` and, last, `report.html` into the study's folder, each file
    /// whole or not at all. Figures of an earlier report that are not of this one are removed.
    ///
    /// # Errors
    /// [`ReportError::Study`] when a file cannot be written, [`ReportError::NoFont`] when PNGs are wanted and the system
    /// has no font.
    pub fn write(&self, folder: &ResultsFolder, pixels: Pixels) -> Result<(), ReportError> {
        let rasterizer = match pixels {
            Pixels::Png => Some(Rasterizer::new().ok_or(ReportError::NoFont)?),
            Pixels::None => None,
        };
        write_summary(folder, self.summary)?;
        write_whole(&folder.report_markdown_path(), markdown(self.summary, Listing::Full).as_bytes())?;
        let root = folder.figures();
        fs::create_dir_all(&root).map_err(|reason| io_error(root.clone(), "create the folder", reason))?;
        for figure in self.figures() {
            write_whole(&root.join(format!("{}.svg", figure.name())), figure.svg().as_bytes())?;
            if let Some(rasterizer) = &rasterizer {
                let failed = || ReportError::Figure {
                    name: figure.name(),
                    reason: "no PNG can be made of it".to_owned(),
                };
                let png = rasterizer.png(figure).ok_or_else(failed)?;
                write_whole(&root.join(format!("{}.png", figure.name())), &png)?;
            }
        }
        self.remove_others(folder, pixels)?;
        Ok(write_whole(&folder.report_page_path(), self.html().as_bytes())?)
    }

    /// Removes what an earlier report left that would not be of this one.
    fn remove_others(&self, folder: &ResultsFolder, pixels: Pixels) -> Result<(), ReportError> {
        let is_drawn = |name: &str| self.figures().any(|figure| figure.name() == name);
        for name in figures::names() {
            let endings = [("svg", !is_drawn(name)), ("png", !is_drawn(name) || pixels == Pixels::None)];
            for (ending, _) in endings.into_iter().filter(|(_, is_old)| *is_old) {
                let path = folder.figures().join(format!("{name}.{ending}"));
                match fs::remove_file(&path) {
                    Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                        return Err(io_error(path, "remove the old figure", reason));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Writes `committee.json`: every number of a summary of all widths.
///
/// # Errors
/// [`ReportError::Study`] when it cannot be written.
pub fn write_summary(folder: &ResultsFolder, summary: &Summary) -> Result<(), ReportError> {
    Ok(write_whole(&folder.committee_path(), &summary::to_bytes(summary))?)
}

fn io_error(path: PathBuf, action: &'static str, reason: io::Error) -> ReportError {
    StudyError::Io { path, action, reason }.into()
}
