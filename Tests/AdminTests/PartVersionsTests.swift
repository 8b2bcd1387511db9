import Testing

@testable import Admin

@Suite("Parts of the dashboard's figures")
struct PartVersionsTests {
    @Test("an event has what has changed since the client's last one")
    func changes() {
        var versions = PartVersions()
        versions.note([("process", "1"), ("tools", "[]")])
        #expect(parts(versions.event(after: -1)) == #""process":1,"tools":[]"#)

        versions.note([("process", "2"), ("tools", "[]"), ("alerts", "[]")])
        #expect(parts(versions.event(after: 0)) == #""process":2,"alerts":[]"#)
        #expect(parts(versions.event(after: -1)) == #""process":2,"tools":[],"alerts":[]"#)
        #expect(parts(versions.event(after: 1)) == "")
    }

    /// What follows the time.
    private func parts(_ event: String) -> String {
        #expect(event.hasPrefix("event: figures\ndata: {\"now\":1"))
        #expect(event.hasSuffix("}\n\n"))
        let object = event.dropLast(3)
        return String(object.drop { $0 != "," }.dropFirst())
    }
}
