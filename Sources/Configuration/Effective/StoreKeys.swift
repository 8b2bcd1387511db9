extension EffectiveText {
    /// Writes where something is shared, and without what variables hold.
    mutating func write(_ store: StoreConfiguration) {
        value("store", TOMLText.quoted(store.written))
        if let authorities = store.authorities { value("store_ca", TOMLText.quoted(authorities)) }
        value("store_wait", store.wait)
    }
}
