import MCP
import Telemetry
import Testing

@Suite("Histograms of calls")
struct CallHistogramTests {
    private func histogram(_ nanoseconds: [UInt64]) throws -> CallHistogram {
        let calls = Metrics(workers: 1, servers: 16).calls
        for duration in nanoseconds {
            var event = CallEvent.tool("t")
            event.duration = duration
            event.server = -1
            calls.recorder(worker: 0).record(event)
        }
        return try #require(calls.series().first).histogram
    }

    @Test("a duration belongs to the first bucket whose bound is not below it")
    func buckets() throws {
        let bounds = try histogram([1]).bounds
        #expect(
            bounds == [
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
            ])
        for (index, bound) in bounds.enumerated() {
            let exact = UInt64((bound * 1e9).rounded())
            #expect(try histogram([exact]).counts[index] == 1)
            #expect(try histogram([exact + 1]).counts[index + 1] == 1)
            #expect(try histogram([exact - 1]).counts[index] == 1)
        }
        #expect(try histogram([0]).counts[0] == 1)
        #expect(try histogram([.max]).counts[18] == 1)
    }

    @Test("percentiles lie within the bucket of the truth")
    func quantiles() throws {
        // 1 ms, 2 ms, … 1 s.
        let durations = (1...1_000).map { UInt64($0) * 1_000_000 }
        let histogram = try histogram(durations)

        #expect(histogram.count == 1_000)
        #expect(try #require(histogram.quantile(0.5)) == 0.5)
        #expect(abs(try #require(histogram.quantile(0.95)) - 0.95) < 0.001)
        #expect(abs(try #require(histogram.quantile(0.99)) - 0.99) < 0.001)
        #expect(try #require(histogram.quantile(0)) < 0.001)
        #expect(try #require(histogram.quantile(7)) == 1)
    }

    @Test("beyond the last bound it is all that can be said; of no calls nothing is")
    func ends() throws {
        #expect(try histogram([400_000_000_000]).quantile(0.5) == 300)
        let empty = try #require(Metrics(workers: 1, servers: 1).calls.phase(.queue, upstream: 0))
        #expect(empty.quantile(0.5) == nil)
    }
}
