import Kernel
import Testing

@Suite("Instants and intervals")
struct InstantTests {
    @Test("addition saturates at the latest instant, subtraction at zero")
    func arithmetic() {
        let start = Instant(nanoseconds: 1000)

        #expect(start + .seconds(2) == Instant(nanoseconds: 2_000_001_000))
        #expect(start + .unlimited == .never)
        #expect(.never + .milliseconds(1) == .never)
        #expect((start + .milliseconds(3)) - start == .milliseconds(3))
        #expect(start - (start + .milliseconds(3)) == Interval(nanoseconds: 0))
        #expect(start < start + .milliseconds(1))
    }

    @Test(
        "durations are converted and clamped",
        arguments: [
            (Duration.milliseconds(1500), 1_500_000_000), (.zero, 0), (.seconds(-3), 0), (.milliseconds(-1), 0),
            (.nanoseconds(1), 1), (.seconds(Int64.max), UInt64.max),
        ] as [(Duration, UInt64)])
    func durations(duration: Duration, nanoseconds: UInt64) {
        #expect(Interval(duration).nanoseconds == nanoseconds)
    }

    @Test("the clock does not go back")
    func clock() {
        var last = Instant.now()
        for _ in 0..<1000 {
            let now = Instant.now()
            #expect(now >= last)
            last = now
        }
    }
}
