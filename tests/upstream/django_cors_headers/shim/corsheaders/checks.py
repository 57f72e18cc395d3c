def check_settings():
    raise NotImplementedError
