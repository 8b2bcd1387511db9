/// What one configuration file asks for, every value checked and every default filled in.
///
/// Two files that ask for the same thing are equal however they are written, so a reload can compare. Paths are as the
/// proxy must open them: one that was written relative is relative to the folder of its file.
package struct Configuration: Sendable, Equatable {
    package var global: GlobalConfiguration
    /// In the order of the file, at least one; no two share an address.
    package var listeners: [ListenerConfiguration]
    /// The first that matches wins. Never empty: a file without routes gets one that sends everything to its only
    /// upstream.
    package var routes: [RouteConfiguration]
    /// In the order of the file, at least one; names are unique.
    package var upstreams: [UpstreamConfiguration]

    package init(
        global: GlobalConfiguration, listeners: [ListenerConfiguration], routes: [RouteConfiguration],
        upstreams: [UpstreamConfiguration]
    ) {
        self.global = global
        self.listeners = listeners
        self.routes = routes
        self.upstreams = upstreams
    }
}
