import Testing

@testable import LoadReport

@Suite("Axis")
struct AxisTests {
    private static func labels(_ axis: Axis) -> [String] { axis.ticks.map(\.label) }

    @Test(
        "A linear axis has round steps and ends at or above the maximum",
        arguments: [
            (4, ["0", "1", "2", "3", "4"]), (4.2, ["0", "1", "2", "3", "4", "5"]),
            (53_000, ["0", "20000", "40000", "60000"]), (0.07, ["0", "0.02", "0.04", "0.06", "0.08"]),
            (0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ] as [(Double, [String])])
    func linear(top: Double, labels: [String]) {
        let axis = Axis(title: "", upTo: top) { value in
            let rounded = (value * 100).rounded() / 100
            return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
        }

        #expect(Self.labels(axis) == labels)
        #expect(axis.position(of: 0) == 0)
        #expect(axis.position(of: top) <= 1)
        #expect(axis.position(of: top * 10) == (top == 0 ? 0 : 1))
    }

    @Test("A logarithmic axis gives each power of ten the same width")
    func logarithmic() {
        let axis = Axis(title: "", logarithmicFrom: 130, to: 90_000) { "\(Int($0))" }

        #expect(Self.labels(axis) == ["100", "1000", "10000", "100000"])
        #expect(abs(axis.position(of: 1_000) - 1.0 / 3) < 1e-9)
        #expect(axis.position(of: 0) == 0)
        #expect(axis.position(of: -5) == 0)
    }

    @Test("Every number has a position on an axis", arguments: [.nan, .infinity, -.infinity, 1e300, -1e300])
    func oddValues(value: Double) {
        for axis in [
            Axis(title: "", upTo: value) { "\($0)" }, Axis(title: "", endingAt: value, lines: 5) { "\($0)" },
            Axis(title: "", logarithmicFrom: 1, to: value) { "\($0)" },
        ] {
            #expect((0...1).contains(axis.position(of: value)))
            #expect(axis.ticks.count < 50)
        }
    }
}
