package import Configuration

/// What few routes have: changes on the way, rules for clients, an answer without a server. An object, so that exchanges
/// can refer to it that go on when the snapshot is replaced.
package final class RouteExtras: Sendable {
    /// Given in place of a server's answer; nil: requests go to the route's upstream.
    let answer: LocalAnswer?
    /// The beginning of the path that servers do not get.
    let prefix: StrippedPrefix
    /// What is changed in the header fields of responses.
    let fields: ResponseFieldEdits
    /// Whose requests are served.
    let access: AddressRules
    /// Who may send requests; nil: everybody.
    package let auth: RouteAuth?

    /// The extras of a route; nil if it has none.
    package init?(_ route: RouteConfiguration) {
        answer = LocalAnswer(route.destination)
        prefix = StrippedPrefix(bytes: Array((route.strippedPrefix ?? "").utf8))
        fields = ResponseFieldEdits(route.responseFields)
        access = AddressRules(route.access)
        auth = route.auth.map { RouteAuth($0) }
        if answer == nil, prefix.bytes.isEmpty, fields.isEmpty, access.isOpen, auth == nil { return nil }
    }

    /// The same with what another one knows of callers.
    init(_ other: RouteExtras, auth: RouteAuth) {
        (answer, prefix, fields, access) = (other.answer, other.prefix, other.fields, other.access)
        self.auth = auth
    }

    /// A server's response, or the request, is not passed on as it is.
    var editsMessages: Bool { !prefix.bytes.isEmpty || !fields.isEmpty || auth != nil }
}

/// Changes of a response's header fields, composed beforehand.
struct ResponseFieldEdits: Sendable {
    /// Names of lines that are left out: those that are removed, and those that are replaced.
    let dropped: [[UInt8]]
    /// Whole lines that are put in.
    let lines: [UInt8]

    init(_ configuration: ResponseFieldsConfiguration) {
        dropped = (configuration.set.map(\.name) + configuration.removed).map { Array($0.lowercased().utf8) }
        lines = configuration.set.flatMap { Array("\($0.name.lowercased()): \($0.value)\r\n".utf8) }
    }

    /// Lines that are put in, and nothing else.
    init(lines: [UInt8]) {
        dropped = []
        self.lines = lines
    }

    var isEmpty: Bool { dropped.isEmpty }
}

extension RoutePlan {
    /// Requests go to the upstream; else Berth answers them itself.
    package var hasUpstream: Bool { extras?.answer == nil }
}
