/// Writes metrics as text, one after the other. Each metric's samples stand together, behind what it is.
package struct ExpositionWriter {
    /// Takes a piece of the text, whole lines.
    package typealias Sink = (UnsafeBufferPointer<UInt8>) -> Void

    /// Bytes that are given to a sink at a time: no more than a core's own cache has.
    private static var piece: Int { 262_144 }

    private let format: ExpositionFormat
    private let sink: Sink?
    private var text: [UInt8] = []
    private var current: MetricDefinition?
    /// What each line of its numbers begins with, unless it is a histogram.
    private var lineStart: [UInt8] = []
    private var written: Set<String> = []
    /// `_bucket` with its upper bound, behind the other labels.
    private var bounds: [Double] = []
    private var boundTexts: [[UInt8]] = []
    /// Where the lines of a histogram are made.
    private var scratch: [UInt8] = []

    /// Begins a text in this format. Its pieces go to `sink`, if there is one; else it is kept, for which there is space for
    /// `expected` bytes at first.
    package init(_ format: ExpositionFormat, expected: Int = 1 << 20, sink: Sink? = nil) {
        self.format = format
        self.sink = sink
        text.reserveCapacity(sink == nil ? expected : Self.piece + 65_536)
    }

    /// The rest of the text: all of it, if there is no sink. Nothing may be written after it.
    package consuming func finish() -> [UInt8] {
        if format == .openMetrics { text += "# EOF\n".utf8 }
        return text
    }

    private mutating func passOn() {
        guard let sink, text.count >= Self.piece else { return }
        text.withUnsafeBufferPointer(sink)
        text.removeAll(keepingCapacity: true)
    }

    /// Begins a metric. It may have begun before only if nothing else has since.
    package mutating func begin(_ metric: MetricDefinition) {
        passOn()
        guard current?.name != metric.name else { return }
        assert(!written.contains(metric.name), "the samples of \(metric.name) do not stand together")
        written.insert(metric.name)
        current = metric
        lineStart = Array(metric.queryName.utf8)
        let name = format == .openMetrics ? metric.name : metric.queryName
        let kind = format == .prometheus && metric.kind == .info ? "gauge" : metric.kind.rawValue
        text += "# HELP \(name) \(metric.help).\n# TYPE \(name) \(kind)\n".utf8
        if format == .openMetrics, let unit = metric.unit { text += "# UNIT \(name) \(unit.rawValue)\n".utf8 }
    }

    /// One number of a metric that is no histogram.
    package mutating func sample(_ metric: MetricDefinition, _ labels: LabelText, _ value: Int64) {
        start(metric, labels)
        append(value)
        text.append(UInt8(ascii: "\n"))
    }

    /// The number of a metric without labels.
    package mutating func sample(_ metric: MetricDefinition, _ value: Int64) { sample(metric, LabelText(), value) }

    /// 1 for true, 0 for false.
    package mutating func sample(_ metric: MetricDefinition, _ labels: LabelText, _ value: Bool) {
        sample(metric, labels, value ? 1 : 0 as Int64)
    }

    /// 1 for true, 0 for false.
    package mutating func sample(_ metric: MetricDefinition, _ value: Bool) { sample(metric, LabelText(), value) }

    /// A length of time, as seconds.
    package mutating func sample(
        _ metric: MetricDefinition, _ labels: LabelText = LabelText(), nanoseconds: Int64
    ) {
        start(metric, labels)
        append(nanoseconds: nanoseconds)
        text.append(UInt8(ascii: "\n"))
    }

    private mutating func start(_ metric: MetricDefinition, _ labels: LabelText) {
        begin(metric)
        text += lineStart
        if !labels.bytes.isEmpty {
            text.append(UInt8(ascii: "{"))
            text += labels.bytes
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: " "))
    }

    /// All numbers of one histogram.
    package mutating func sample(_ metric: MetricDefinition, _ labels: LabelText, _ histogram: CallHistogram) {
        begin(metric)
        prepare(histogram.bounds)
        let prefix = metric.name.utf8.count + labels.bytes.count
        let needed = (boundTexts.count + 2) * (prefix + Self.numberBytes + Self.boundBytes)
        if scratch.count < needed { scratch = Array(repeating: 0, count: needed) }
        let length = scratch.withUnsafeMutableBufferPointer { space in
            guard let base = space.baseAddress else { return 0 }
            var lines = LineCursor(base)
            lines.append(histogram, metric.name, labels.bytes, boundTexts)
            return lines.count
        }
        text += scratch[..<length]
    }

    /// Of a number of nanoseconds at most, with its sign and point.
    private static var numberBytes: Int { 24 }
    /// Of what stands between the labels and a number at most.
    private static var boundBytes: Int { 48 }

    private mutating func prepare(_ new: [Double]) {
        guard bounds != new else { return }
        bounds = new
        boundTexts = (new.map { "\($0)" } + ["+Inf"]).map { Array("le=\"\($0)\"} ".utf8) }
    }

    // MARK: - Numbers

    private mutating func append(_ value: Int64) {
        guard value >= 0 else {
            text += "\(value)".utf8
            return
        }
        if value < 10 {
            text.append(UInt8(ascii: "0") + UInt8(value))
            return
        }
        append(UInt64(value), digits: 0)
    }

    /// With leading zeros if there are fewer digits.
    private mutating func append(_ value: UInt64, digits: Int) {
        var places = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var rest = value
        var count = 0
        while rest > 0 || count < digits {
            places[count] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
            count += 1
        }
        while count > 0 {
            count -= 1
            text.append(places[count])
        }
    }

    private mutating func append(nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds))
        append(Int64(value / 1_000_000_000))
        let fraction = value % 1_000_000_000
        guard fraction > 0 else { return }
        text.append(UInt8(ascii: "."))
        append(fraction, digits: 9)
        while text.last == UInt8(ascii: "0") { text.removeLast() }
    }
}
