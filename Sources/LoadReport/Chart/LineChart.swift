/// A line chart with one line for each run.
struct LineChart {
    /// One value of a line.
    struct Point {
        var x: Double
        var y: Double
        /// The tooltip.
        var note: String?
        /// Whether a mark is drawn at the point.
        var isMarked = false
    }

    /// The line of one run.
    struct Line {
        /// Index of the run; decides the colour.
        var run: Int
        /// The run's key (`A`, `B`), shown at the line's end.
        var key: String
        /// The pieces of the line. There are no values between them.
        var pieces: [[Point]]
        /// The rate of an open loop, drawn as a dashed line.
        var targetRate: Double?
    }

    /// A mark on the x axis for wrong answers or failures at that time.
    struct Alarm {
        var x: Double
        var run: Int
        var note: String
    }

    /// Prefix of the chart's element ids, unique on the page.
    var id: String
    var title: String
    /// The chart in a sentence or two, for screen readers.
    var summary: String
    var x: Axis
    var y: Axis
    var lines: [Line]
    var alarms: [Alarm] = []
    /// Whether the area below a single line is shaded; for axes that begin at zero.
    var isShaded = false
}
