/// A chart of lines over two axes, one line a run.
struct LineChart {
    struct Point {
        var x: Double
        var y: Double
        /// What a pointer resting on it is told; a mark is drawn where `isMarked`.
        var note: String?
        var isMarked = false
    }

    struct Line {
        /// Which run: its colour.
        var run: Int
        /// The run's letter, shown where the line ends.
        var letter: String
        /// Pieces between which nothing is known.
        var pieces: [[Point]]
        /// A level the run was asked to keep.
        var goal: Double?
    }

    /// Something that went wrong at a point of the x axis.
    struct Alarm {
        var x: Double
        var run: Int
        var note: String
    }

    /// Distinguishes the chart's ids from those of other charts of the page.
    var id: String
    var title: String
    /// The chart in a sentence or two, for who cannot see it.
    var summary: String
    var x: Axis
    var y: Axis
    var lines: [Line]
    var alarms: [Alarm] = []
    /// Whether the area below a line alone is shaded: where it begins at zero.
    var isShaded = false
}
