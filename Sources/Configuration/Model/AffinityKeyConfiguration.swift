/// `affinity_key` of an upstream: what requests without a session have in common that are to meet one server.
package enum AffinityKeyConfiguration: Sendable, Equatable {
    /// A parameter of the query, by its name without percent-encoding.
    case query(String)
    /// A cookie, by its name.
    case cookie(String)
    /// A header field, by its name in lower case.
    case header(String)

    /// As a file has it.
    package var text: String {
        switch self {
        case .query(let name): "query:\(name)"
        case .cookie(let name): "cookie:\(name)"
        case .header(let name): "header:\(name)"
        }
    }
}
