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
    /// How many requests there may be; nil: any number.
    let limits: RouteLimits?
    /// What is asked of pages of browsers; nil: nothing.
    let frontDoor: FrontDoorRules?
    /// Bytes of a response that is no event stream; `.max`: any.
    let responseLimit: UInt64

    /// The extras of a route; nil if it has none. `rateLimits`: what is known of rates, if any route limits them; `stores`: those
    /// that the configuration names.
    package init?(_ route: RouteConfiguration, _ rateLimits: RateLimits? = nil, stores: [SharedStore] = []) {
        answer = LocalAnswer(route.destination)
        prefix = StrippedPrefix(bytes: Array((route.strippedPrefix ?? "").utf8))
        fields = ResponseFieldEdits(route.responseFields)
        access = AddressRules(route.access)
        limits = rateLimits.flatMap { RouteLimits(route, $0, stores) }
        frontDoor = FrontDoorRules(route)
        responseLimit = route.responseLimit.map { UInt64($0) } ?? .max
        auth = route.auth.map { RouteAuth($0) }
        let isPlain = answer == nil && prefix.bytes.isEmpty && fields.isEmpty && access.isOpen
        if isPlain, frontDoor == nil, responseLimit == .max, limits == nil, auth == nil { return nil }
    }

    /// The same with what another one knows of callers.
    init(_ other: RouteExtras, auth: RouteAuth) {
        (answer, prefix, fields, access) = (other.answer, other.prefix, other.fields, other.access)
        (limits, frontDoor, responseLimit) = (other.limits, other.frontDoor, other.responseLimit)
        self.auth = auth
    }

    /// Something of it is needed after the exchange was routed.
    var outlivesRouting: Bool {
        !prefix.bytes.isEmpty || !fields.isEmpty || frontDoor != nil || responseLimit < .max || auth != nil
    }
}

/// Changes of a response's header fields, composed beforehand.
struct ResponseFieldEdits: Sendable {
    /// Names of lines that are left out: those that are removed, and those that are replaced.
    let dropped: [[UInt8]]
    /// Whole lines that are put in.
    var lines: [UInt8]
    /// Lines that are left out are also those that say which pages may read, `Access-Control-*`.
    var dropsCrossOrigin = false

    /// No changes.
    init() {
        dropped = []
        lines = []
    }

    init(_ configuration: ResponseFieldsConfiguration) {
        dropped = (configuration.set.map(\.name) + configuration.removed).map { Array($0.lowercased().utf8) }
        lines = configuration.set.flatMap { Array("\($0.name.lowercased()): \($0.value)\r\n".utf8) }
    }

    /// Lines of these names, in lower case, are left out, and nothing else.
    init(dropping names: [String]) {
        dropped = names.map { Array($0.utf8) }
        lines = []
    }

    /// Lines that are put in, and nothing else.
    init(lines: [UInt8]) {
        dropped = []
        self.lines = lines
    }

    var isEmpty: Bool { dropped.isEmpty && lines.isEmpty }
}

extension RoutePlan {
    /// Requests go to the upstream; else Berth answers them itself.
    package var hasUpstream: Bool { extras?.answer == nil }
}
