import Balancing
import Testing

@Suite("Availability")
struct AvailabilityTests {
    @Test(
        "unpinned work goes to servers against which nothing stands; of several reasons the lasting one is given",
        arguments: [
            (ServerCondition(), .available),
            (ServerCondition(isHealthy: false), .unavailable(.unhealthy)),
            (ServerCondition(isDraining: true), .unavailable(.draining)),
            (ServerCondition(isEjected: true), .unavailable(.ejected)),
            (ServerCondition(isFull: true), .unavailable(.full)),
            (ServerCondition(wasTried: true), .unavailable(.alreadyTried)),
            (ServerCondition(isHealthy: false, isDraining: true, isFull: true), .unavailable(.unhealthy)),
            (ServerCondition(isDraining: true, isEjected: true, isFull: true), .unavailable(.draining)),
            (ServerCondition(isHealthy: false, isFull: true, wasTried: true), .unavailable(.alreadyTried)),
        ] as [(ServerCondition, Availability)])
    func unpinned(_ condition: ServerCondition, _ expected: Availability) {
        #expect(Availability.of(condition, for: .unpinned) == expected)
    }

    @Test("a session's server is asked whatever is known of it; a full one is waited for")
    func pinned() {
        for bits in 0..<32 {
            let condition = ServerCondition(
                isHealthy: bits & 1 == 0, isDraining: bits & 2 != 0, isEjected: bits & 4 != 0, isFull: bits & 8 != 0,
                wasTried: bits & 16 != 0)
            let expected: Availability = condition.isFull ? .unavailable(.full) : .available
            #expect(Availability.of(condition, for: .pinned) == expected)
        }
    }

    @Test("a server is eligible if unpinned work may go there whatever the request and the moment")
    func eligible() {
        for bits in 0..<8 {
            let condition = ServerCondition(
                isHealthy: bits & 1 == 0, isDraining: bits & 2 != 0, isEjected: bits & 4 != 0)
            #expect(condition.isEligible == (Availability.of(condition, for: .unpinned) == .available))
        }
    }
}
