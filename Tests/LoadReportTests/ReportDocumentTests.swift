import Load
import Testing

@testable import LoadReport

@Suite("JSON report")
struct ReportDocumentTests {
    @Test("A document that is written and read is unchanged")
    func roundTrip() throws {
        let text = try ReportDocument(runs: [SampleRuns.good(), SampleRuns.bad()]).json()

        let read = try ReportDocument(json: text, from: "a.json")

        #expect(try read.json() == text)
        #expect(read.runs[1].wrong == [.strayed: 37, .gap: 1])
        #expect(read.runs[1].failed == ["HTTP 502": 11, "connection reset": 2])
        #expect(read.runs[0].plan.rate == nil)
        #expect(read.runs[1].plan.rate == 20_000)
    }

    @Test("The keys of the document do not change")
    func golden() throws {
        var run = SampleRuns.bad()
        run.series = [run.series[4]]
        run.latency.percentiles = [run.latency.percentiles[0]]

        #expect(try ReportDocument(runs: [run]).json() == Self.expected)
    }

    private static let expected = """
        {
          "runs" : [
            {
              "began" : 1772368496.25,
              "bytesReceived" : 80000000,
              "bytesSent" : 61000000,
              "completed" : 98765,
              "connectionsOpened" : 64,
              "examples" : [
                "session s7: replica-2 answered what replica-1 made",
                "HTTP 502"
              ],
              "failed" : {
                "HTTP 502" : 11,
                "connection reset" : 2
              },
              "handshakesResumed" : 0,
              "latency" : {
                "count" : 123456,
                "maximum" : 48201,
                "mean" : 640.5,
                "minimum" : 212,
                "percentiles" : [
                  {
                    "microseconds" : 512,
                    "percentile" : 50
                  }
                ]
              },
              "plan" : {
                "connections" : 64,
                "depth" : 1,
                "name" : "open loop",
                "rate" : 20000,
                "threads" : 1,
                "transport" : "http/1.1",
                "unit" : "calls",
                "url" : "http://127.0.0.1:8080/mcp",
                "workload" : "sessions"
              },
              "replicas" : {
                "replica-1" : 41152,
                "replica-2" : 41152,
                "replica-3" : 41152
              },
              "seconds" : 10,
              "series" : [
                {
                  "at" : 5,
                  "bytesReceived" : 8000000,
                  "completed" : 12250,
                  "failed" : 13,
                  "maximum" : 9000,
                  "p50" : 505,
                  "p99" : 3200,
                  "wrong" : 38
                }
              ],
              "systemSeconds" : 5.4,
              "userSeconds" : 4,
              "wrong" : {
                "gap" : 1,
                "strayed" : 37
              }
            }
          ],
          "schema" : 1
        }

        """

    @Test(
        "A file that is not a report is rejected with the reason",
        arguments: [
            ("", "a.json is not JSON"), ("[1", "a.json is not JSON"),
            ("[]", "a.json has another type than expected at "),
            ("{}", "a.json lacks schema"),
            (#"{"schema":2,"runs":[]}"#, "a.json has schema 2, and this version reads 1"),
            (#"{"schema":1}"#, "a.json lacks runs"), (#"{"schema":1,"runs":[{}]}"#, "a.json lacks runs[0].plan"),
            (#"{"schema":1,"runs":[{"plan":7}]}"#, "a.json has another type than expected at runs[0].plan"),
        ])
    func fails(text: String, reason: String) {
        #expect {
            try ReportDocument(json: text, from: "a.json")
        } throws: { "\($0)" == reason }
    }

    @Test(
        "Numbers out of bounds are rejected",
        arguments: [
            (#""completed" : 123456"#, #""completed" : 18446744073709551615"#),
            (#""seconds" : 10"#, #""seconds" : -1"#), (#""seconds" : 10"#, #""seconds" : 1e300"#),
            (#""began" : 1772368496.25"#, #""began" : 1e15"#), (#""connections" : 64"#, #""connections" : -4"#),
            (#""replica-1" : 41152"#, #""replica-1" : 18446744073709551615"#),
            (#""percentile" : 99.99"#, #""percentile" : 101"#), (#""threads" : 1"#, #""threads" : -1"#),
        ])
    func impossible(good: String, bad: String) throws {
        let text = try ReportDocument(runs: [SampleRuns.good()]).json()
        let changed = text.replacing(good, with: bad)
        try #require(changed.count != text.count || changed.contains(bad))

        #expect {
            try ReportDocument(json: changed, from: "a.json")
        } throws: { "\($0)" == "a.json has figures that are not possible in runs[0]" }
    }

    @Test("An unknown kind of wrong answer is rejected")
    func unknownKind() throws {
        let text = try ReportDocument(runs: [SampleRuns.bad()]).json().replacing("strayed", with: "astray")

        #expect(throws: ReportError.self) { try ReportDocument(json: text, from: "a.json") }
    }

    @Test("Unknown keys are ignored")
    func additions() throws {
        let text = try ReportDocument(runs: [SampleRuns.good()]).json()
            .replacing(#""schema" : 1"#, with: #""schema" : 1, "later" : [1, {"a" : 2}]"#)

        #expect(try ReportDocument(json: text, from: "a.json").runs.count == 1)
    }
}
