import prepare

prepare.rows()
