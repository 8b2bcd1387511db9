import ASCII
import Configuration
import HTTP
import Reactor

/// What a route says of requests by the page of a browser that they come from.
struct FrontDoorRules: Sendable {
    /// Origins that may ask; nil: nobody is asked.
    private let origins: [WebOrigin]?
    /// Who may read responses; nil: servers say that.
    let sharing: CrossOriginRules?

    /// Nil if the route says nothing of the kind.
    init?(_ route: RouteConfiguration) {
        origins = route.origins.map { $0.compactMap { WebOrigin($0.utf8.span) } }
        sharing = route.crossOrigins.map { CrossOriginRules($0) }
        if origins == nil, sharing == nil { return nil }
    }

    /// Judges a parsed request at the front of `buffer`. Clients that are no browsers send no `Origin`, and are served.
    /// More than one is no origin at all (RFC 6454 section 7.3). A field that Connection names counts all the same.
    func judge(_ head: borrowing RequestHead, in buffer: borrowing ByteBuffer) -> OriginVerdict {
        var value: ByteRange?
        for index in 0..<head.fields.count
        where buffer.span.extracting(head.fields[index].name.range).isFieldName("origin") {
            guard value == nil else { return origins == nil ? .served : .refused }
            value = head.fields[index].value
        }
        guard let value else { return .served }
        let origin = buffer.span.extracting(value.range)
        if let origins, !origins.contains(where: { $0.matches(origin) }) { return .refused }
        guard let sharing else { return .served }
        if let index = sharing.index(of: origin) { return .mayRead(index) }
        // What a browser asks beforehand it need not ask for nothing.
        return CrossOriginRules.isPreflight(head, in: buffer) ? .refused : .served
    }
}

extension Span where Element == UInt8 {
    /// Whether this is the name of a field, which must be given in lower case.
    func isFieldName(_ name: StaticString) -> Bool {
        count == name.utf8CodeUnitCount && hasIgnoringCase(name, at: 0)
    }
}
